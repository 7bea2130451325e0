package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// origin returns the origin of a field, principal or tenant for one that is not inherited.
func origin(inherited *string) string {
	if inherited == nil {
		return "own"
	}
	return *inherited
}

func TestTenantPreferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	admin, member := w.here.as(w.here.owner, identity.ScopeAdmin), w.here.as(w.here.member)
	const path, own = "/v1/tenant/preferences", "/v1/notifications/preferences"

	got := as[api.TenantPreferences](member.do("GET", path, "").want(http.StatusOK))
	if got.FilterMode != "mutations" || got.Muted || got.UpdatedAt != nil ||
		origin(got.Inherited.FilterMode) != "installation" {
		t.Errorf("before: got %+v, want the installation's", got)
	}
	member.do("PUT", path, `{"filter_mode":"all"}`).want(http.StatusForbidden)
	w.here.as(w.here.member, identity.ScopeRead).do("PUT", path, `{"filter_mode":"all"}`).want(http.StatusForbidden)
	admin.do("PUT", path, `{}`).want(http.StatusOK)
	if rows := w.count(`SELECT count(*) FROM fanfare.tenant_preferences`); rows != 0 {
		t.Errorf("after an empty change: got %d rows, want 0", rows)
	}
	const change = `{"filter_mode":"custom","custom_actions":["signal.*","signal.*"]}`
	got = as[api.TenantPreferences](admin.do("PUT", path, change).want(http.StatusOK))
	if got.FilterMode != "custom" || !slices.Equal(got.CustomActions, []string{"signal.*"}) || got.UpdatedAt == nil ||
		origin(got.Inherited.FilterMode) != "own" || origin(got.Inherited.Muted) != "installation" {
		t.Errorf("changed: got %+v", got)
	}

	mine := as[api.Preferences](member.do("GET", own, "").want(http.StatusOK))
	if mine.FilterMode != "custom" || origin(mine.Inherited.FilterMode) != "tenant" ||
		origin(mine.Inherited.CustomActions) != "tenant" || origin(mine.Inherited.Muted) != "installation" ||
		mine.UpdatedAt != nil {
		t.Errorf("a member without own preferences: got %+v, want the tenant's", mine)
	}
	mine = as[api.Preferences](member.do("PUT", own, `{"filter_mode":"all"}`).want(http.StatusOK))
	if mine.FilterMode != "all" || origin(mine.Inherited.FilterMode) != "own" ||
		!slices.Equal(mine.CustomActions, []string{"signal.*"}) {
		t.Errorf("with an own mode: got %+v, want the patterns of the tenant", mine)
	}
	mine = as[api.Preferences](member.do("PUT", own, `{"inherit":["filter_mode"]}`).want(http.StatusOK))
	if mine.FilterMode != "custom" || origin(mine.Inherited.FilterMode) != "tenant" {
		t.Errorf("inherited again: got %+v, want the tenant's mode", mine)
	}
	other := as[api.TenantPreferences](w.elsewhere.as(uuid.New()).do("GET", path, "").want(http.StatusOK))
	if other.FilterMode != "mutations" || other.UpdatedAt != nil {
		t.Errorf("the other tenant: got %+v, want it unchanged", other)
	}

	got = as[api.TenantPreferences](admin.do("PUT", path, `{"inherit":["filter_mode","custom_actions"],"muted":true}`).
		want(http.StatusOK))
	if got.FilterMode != "mutations" || len(got.CustomActions) != 0 || !got.Muted ||
		origin(got.Inherited.FilterMode) != "installation" || origin(got.Inherited.Muted) != "own" {
		t.Errorf("reset: got %+v", got)
	}
	admin.do("PUT", path, `{"filter_mode":null,"inherit":null}`).want(http.StatusOK)
	admin.do("PUT", path, `{"muted":true}`).want(http.StatusOK) // changes nothing, so that nothing is recorded
	if n := w.count(`
		SELECT count(*) FROM fanfare.activities
		WHERE tenant_id = $1 AND action = 'preferences.changed' AND actor_principal_id = $2 AND resource_id = $1
		  AND payload->'to'->'muted'->>'value' = 'true' AND payload->'from'->'muted'->>'from' = 'installation'
		  AND payload->'changed' = '["filter_mode", "custom_actions", "muted"]'`, w.here.id, w.here.owner); n != 1 {
		t.Errorf("the records of the reset: got %d, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'preferences.changed'`); n != 2 {
		t.Errorf("records: got %d, want 2", n)
	}
	got = as[api.TenantPreferences](admin.do("PUT", path, `{"muted_actions":["*.viewed"]}`).want(http.StatusOK))
	mine = as[api.Preferences](member.do("GET", own, "").want(http.StatusOK))
	if !slices.Equal(got.MutedActions, []string{"*.viewed"}) || origin(got.Inherited.MutedActions) != "own" ||
		!slices.Equal(mine.MutedActions, got.MutedActions) || origin(mine.Inherited.MutedActions) != "tenant" {
		t.Errorf("muted actions of the tenant: got %+v, and %+v for a member", got, mine)
	}
	mine = as[api.Preferences](member.do("PUT", own, `{"muted_actions":[]}`).want(http.StatusOK))
	if len(mine.MutedActions) != 0 || origin(mine.Inherited.MutedActions) != "own" {
		t.Errorf("a member that mutes no action: got %+v", mine)
	}
	mine = as[api.Preferences](member.do("PUT", own, `{"inherit":["muted_actions"]}`).want(http.StatusOK))
	if len(mine.MutedActions) != 1 || origin(mine.Inherited.MutedActions) != "tenant" {
		t.Errorf("inherited again: got %+v, want the tenant's muted actions", mine)
	}
	refused := admin.do("PUT", path, `{"muted_actors":[]}`).want(http.StatusUnprocessableEntity)
	if !strings.Contains(string(refused.body), `"field":"muted_actors"`) {
		t.Errorf("muted actors of a tenant: got %s, want the field", refused.body)
	}
}

func TestMutedActors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.member)
	const path = "/v1/notifications/preferences"
	first, second := uuid.New(), uuid.New()
	got := as[api.Preferences](c.do("PUT", path,
		`{"muted_actors":["`+first.String()+`","`+second.String()+`","`+first.String()+`"]}`).want(http.StatusOK))
	if !slices.Equal(got.MutedActors, []uuid.UUID{first, second}) ||
		origin(got.Inherited.FilterMode) != "installation" {
		t.Errorf("got %+v, want two actors, and the mode still inherited", got)
	}
	got = as[api.Preferences](c.do("PUT", path, `{"muted":false}`).want(http.StatusOK))
	if len(got.MutedActors) != 2 || origin(got.Inherited.Muted) != "own" {
		t.Errorf("another field: got %+v, want the actors kept", got)
	}
	got = as[api.Preferences](c.do("PUT", path, `{"muted_actors":[]}`).want(http.StatusOK))
	if len(got.MutedActors) != 0 {
		t.Errorf("none: got %+v", got)
	}
	thousand := strings.Repeat(first.String()+`","`, 999) + second.String()
	got = as[api.Preferences](c.do("PUT", path, `{"muted_actors":["`+thousand+`"]}`).want(http.StatusOK))
	if len(got.MutedActors) != 2 {
		t.Errorf("a thousand: got %d distinct actors, want 2", len(got.MutedActors))
	}
}
