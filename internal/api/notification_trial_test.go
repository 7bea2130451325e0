package api_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// TestNotificationTrial checks that the activity notifies the caller, also one without a role, and
// that no other principal sees it.
func TestNotificationTrial(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	w.exec(`INSERT INTO fanfare.resources (tenant_id, id, type) VALUES ($1, $1, 'tenant')`, at.id)
	w.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $1, 'delegator')`, at.id, at.delegator)
	for name, who := range map[string]uuid.UUID{
		"a member": at.member, "an outsider": at.outsider, "unknown": uuid.New(),
	} {
		c := at.as(who)
		id := as[struct {
			ActivityID uuid.UUID `json:"activity_id"`
		}](c.do("POST", "/v1/notifications/test", "").want(http.StatusAccepted)).ActivityID
		if n := w.count(`
			SELECT count(*) FROM fanfare.activities
			WHERE tenant_id = $1 AND id = $2 AND action = 'notification.tested' AND visibility = 'private'
			  AND actor_principal_id = $3 AND target_principal_ids = ARRAY[$4::uuid]`,
			at.id, id, activity.System, who); n != 1 {
			t.Errorf("%s: got %d records, want 1", name, n)
		}
		explained := as[struct {
			Now struct {
				Notified  bool
				DecidedBy string `json:"decided_by"`
			}
		}](c.do("GET", "/v1/activities/"+id.String()+"/explain", "").want(http.StatusOK))
		if !explained.Now.Notified || explained.Now.DecidedBy != "target" {
			t.Errorf("%s: got %+v, want the caller notified as the target", name, explained)
		}
		for _, other := range []uuid.UUID{at.owner, at.delegator} {
			at.as(other).do("GET", "/v1/activities/"+id.String(), "").want(http.StatusNotFound)
		}
	}
	at.as(at.member).do("POST", "/v1/notifications/test", `{"principal_id":"`+at.owner.String()+`"}`).
		want(http.StatusUnprocessableEntity)
}
