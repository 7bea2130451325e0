package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func TestRetention(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.member, identity.ScopeAdmin)
	const path = "/v1/retention"
	limit := func(value int64, from string) api.RetentionLimit { return api.RetentionLimit{Value: value, From: from} }

	got := as[api.Retention](c.do("GET", path, "").want(http.StatusOK))
	if got.MaxDays != limit(0, "installation") || got.MinDays != limit(7, "installation") || got.MinDaysFloor != 7 ||
		got.UpdatedAt != nil || len(got.Holds) != 0 {
		t.Errorf("before: got %+v", got)
	}
	got = as[api.Retention](c.do("PUT", path, `{"max_days":400,"inbox_days":0,"max_entries":1000}`).want(http.StatusOK))
	if got.MaxDays != limit(400, "tenant") || got.InboxDays != limit(0, "tenant") ||
		got.MaxEntries != limit(1000, "tenant") || got.MinDays != limit(7, "installation") ||
		got.UpdatedAt == nil || *got.UpdatedBy != w.here.member {
		t.Errorf("changed: got %+v", got)
	}
	got = as[api.Retention](c.do("PUT", path, `{"inbox_days":null,"min_days":30}`).want(http.StatusOK))
	if got.MaxDays != limit(400, "tenant") || got.InboxDays != limit(90, "installation") ||
		got.MinDays != limit(30, "tenant") || got.MinDaysFloor != 7 {
		t.Errorf("restored: got %+v", got)
	}
	hold, err := retention.Place(
		t.Context(),
		w.db.Pool,
		retention.Hold{TenantID: w.here.id, ResourceID: &w.here.signal, CreatedBy: w.here.owner, Reason: "case 17"},
	)
	if err != nil {
		t.Fatal(err)
	}
	foreign := retention.Hold{TenantID: w.elsewhere.id, CreatedBy: w.elsewhere.owner, Reason: "of another tenant"}
	if _, err := retention.Place(t.Context(), w.db.Pool, foreign); err != nil {
		t.Fatal(err)
	}
	got = as[api.Retention](c.do("GET", path, "").want(http.StatusOK))
	if len(got.Holds) != 1 || got.Holds[0].ID != hold.ID || *got.Holds[0].ResourceID != w.here.signal ||
		got.Holds[0].Reason != "case 17" {
		t.Errorf("holds: got %+v, want the one of the tenant", got.Holds)
	}
	other := as[api.Retention](w.elsewhere.as(uuid.New(), identity.ScopeAdmin).do("GET", path, "").want(http.StatusOK))
	if other.MaxDays != limit(0, "installation") {
		t.Errorf("the other tenant: got %+v, want it unchanged", other.MaxDays)
	}

	for body, want := range map[string]string{
		`{}`:                               `"field":"retention","rule":"must change at least one limit"`,
		`{"max_days":29}`:                  `"field":"max_days","rule":"must be at least min_days (30), or 0"`,
		`{"min_days":401}`:                 `"field":"min_days","rule":"must be at most max_days (400)","value":"401"`,
		`{"min_days":0,"max_entries":1}`:   `"field":"min_days","rule":"must be at least that of the installation (7)"`,
		`{"max_days":18251}`:               `"field":"max_days","rule":"must be from 0 to 18250","value":"18251"`,
		`{"max_days":-1}`:                  `"field":"max_days"`,
		`{"max_days":1.5}`:                 `"field":"max_days"`,
		`{"max_days":"400"}`:               `"field":"max_days"`,
		`{"max_entries":1000000001}`:       `"field":"max_entries"`,
		`{"max_weeks":1}`:                  `"field":"max_weeks"`,
		`{"token_days":-1,"max_days":400}`: `"field":"token_days"`,
	} {
		response := c.do("PUT", path, body).want(http.StatusUnprocessableEntity)
		if !strings.Contains(string(response.body), want) {
			t.Errorf("PUT %s: got %s, want %s", body, response.body, want)
		}
	}
	recorded := w.count(`
		SELECT count(*) FROM fanfare.activities
		WHERE tenant_id = $1 AND action = 'retention.changed' AND actor_principal_id = $2`, w.here.id, w.here.member)
	if recorded != 2 {
		t.Errorf("got %d recorded changes, want 2", recorded)
	}
}
