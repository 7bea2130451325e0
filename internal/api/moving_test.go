package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
)

// TestTenantThatIsBeingMoved checks what a server answers about a frozen tenant: reads succeed,
// changes are refused with a problem of their own, and other tenants notice nothing.
func TestTenantThatIsBeingMoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.exec(`INSERT INTO fanfare.tenant_moves (tenant_id, move_id, role, step, peer, frozen_at)
		VALUES ($1, gen_random_uuid(), 'source', 'frozen', 'other', now())`, w.here.id)
	for _, table := range tenantdata.Tables() {
		for _, e := range table.Frozen {
			w.exec(fmt.Sprintf(`CREATE TRIGGER refuse_%s BEFORE %[1]s ON fanfare.%s
				FOR EACH ROW EXECUTE FUNCTION fanfare.refuse_frozen()`, e, table.Name))
		}
	}
	member, reader := w.here.as(w.here.member), w.here.as(w.here.member, identity.ScopeAdmin)
	member.do("GET", "/v1/activities", "").want(http.StatusOK)
	member.do("GET", "/v1/notifications", "").want(http.StatusOK)
	recording := fmt.Sprintf(
		`{"actor_principal_id":%q,"resource_id":%q,"resource_type":"signal","action":"resource.updated"}`,
		w.here.member, w.here.signal)
	for _, each := range []struct {
		client
		method, target, body string
	}{
		{w.writer(w.here.id), "POST", "/v1/activities", recording},
		{member, "PATCH", "/v1/notifications/" + w.here.shown.String(), `{"read":true}`},
		{member, "PUT", "/v1/notifications/preferences", `{"muted":true}`},
		{reader, "PUT", "/v1/tenant/preferences", `{"muted":true}`},
		{member, "PUT", "/v1/watch-levels/" + w.here.signal.String(), `{"level":"all"}`},
		{member, "DELETE", "/v1/watch-levels/" + w.here.signal.String(), ""},
		{member, "POST", "/v1/subscriptions", fmt.Sprintf(`{"resource_id":%q}`, w.here.folder)},
		{member, "DELETE", "/v1/subscriptions/" + w.here.subscription.String(), ""},
		{reader, "PUT", "/v1/retention", `{"max_days":400}`},
		{reader, "POST", "/v1/outbox/dead/" + w.here.dead.String() + "/replay", ""},
	} {
		got := each.do(each.method, each.target, each.body)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" ||
			problemType(got) != "tenant-moving" {
			t.Errorf("%s %s: got %d %s, want 503, Retry-After and the problem tenant-moving",
				each.method, each.target, got.status, got.body)
		}
	}
	w.elsewhere.as(w.elsewhere.member).do("PUT", "/v1/notifications/preferences", `{"muted":true}`).want(http.StatusOK)
	w.exec(`UPDATE fanfare.tenant_moves SET frozen_at = NULL WHERE move_id <> $1`, uuid.Nil)
	member.do("PUT", "/v1/notifications/preferences", `{"muted":true}`).want(http.StatusOK)
}
