package watchers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

func TestWatchersOf(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	foreign := newHouse(t, h.db)
	unknown := uuid.New()
	subscribe := func(tenant, principal, resource uuid.UUID, scope string, revoked bool) {
		t.Helper()
		h.exec(
			t,
			`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope, revoked_at) VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)`,
			tenant,
			principal,
			resource,
			scope,
			revoked,
		)
	}
	subscribe(h.tenant, h.viewer, h.doc, watchers.ScopeResource, false)
	subscribe(h.tenant, h.viewer, h.org, watchers.ScopeDescendants, false)
	subscribe(h.tenant, h.owner, h.doc, watchers.ScopeResource, false)
	subscribe(h.tenant, unknown, h.doc, watchers.ScopeResource, false)
	subscribe(h.tenant, h.retired, h.doc, watchers.ScopeDescendants, false)
	subscribe(h.tenant, h.stranger, h.team, watchers.ScopeResource, false)
	subscribe(h.tenant, h.neighbour, h.doc, watchers.ScopeResource, true)
	subscribe(foreign.tenant, foreign.viewer, h.doc, watchers.ScopeResource, false)
	h.role(t, h.delegator, h.doc, "owner")
	want := map[uuid.UUID]watchers.Watcher{
		h.viewer: {
			PrincipalID: h.viewer,
			Kind:        "user",
			DisplayName: "P",
			Reasons:     watchers.Subscribed,
			Scope:       watchers.ScopeDescendants,
		},
		h.owner: {
			PrincipalID: h.owner,
			Kind:        "user",
			DisplayName: "P",
			Reasons:     watchers.Subscribed | watchers.Owner,
			Scope:       watchers.ScopeResource,
		},
		h.delegator: {PrincipalID: h.delegator, Kind: "user", DisplayName: "P", Reasons: watchers.Delegator},
		unknown:     {PrincipalID: unknown, Reasons: watchers.Subscribed, Scope: watchers.ScopeResource},
	}
	for _, limit := range []int{0, 1, 2, 4, 5} {
		got := map[uuid.UUID]watchers.Watcher{}
		for page := (watchers.Page{Limit: limit}); ; {
			list, next, err := watchers.WatchersOf(t.Context(), h.db.Pool, h.tenant, h.doc, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range list {
				if _, twice := got[w.PrincipalID]; twice {
					t.Errorf("limit %d: got %s twice", limit, w.PrincipalID)
				}
				got[w.PrincipalID] = w
			}
			if page.After = next; next == uuid.Nil {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d: -want +got\n%s", limit, diff)
		}
	}
	for name, id := range map[string]uuid.UUID{"unknown resource": uuid.New(), "another tenant's": foreign.doc} {
		if list, next, err := watchers.WatchersOf(t.Context(), h.db.Pool, h.tenant, id, watchers.Page{}); err != nil ||
			len(list) != 0 ||
			next != uuid.Nil {
			t.Errorf("%s: got %v, %v, %v, want nobody", name, list, next, err)
		}
	}
}
