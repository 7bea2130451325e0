package watchers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func TestList(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	foreign := directorytest.New(t, d.DB)
	subscribe := func(tenant, principal, resource uuid.UUID, scope string, revoked bool) {
		t.Helper()
		d.Exec(t, `INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope, revoked_at)
			VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)`, tenant, principal, resource, scope, revoked)
	}
	subscribe(d.ID, d.Viewer, d.Doc, subscriptions.ScopeResource, false)
	subscribe(d.ID, d.Viewer, d.Org, subscriptions.ScopeDescendants, false)
	subscribe(d.ID, d.Owner, d.Doc, subscriptions.ScopeResource, false)
	subscribe(d.ID, d.Unknown, d.Doc, subscriptions.ScopeResource, false)
	subscribe(d.ID, d.Inactive, d.Doc, subscriptions.ScopeDescendants, false)
	subscribe(d.ID, d.Stranger, d.Team, subscriptions.ScopeResource, false)
	subscribe(d.ID, d.Neighbour, d.Doc, subscriptions.ScopeResource, true)
	subscribe(foreign.ID, foreign.Viewer, d.Doc, subscriptions.ScopeResource, false)
	d.AddRole(t, d.Delegator, d.Doc, "owner")
	want := map[uuid.UUID]watchers.Watcher{
		d.Viewer: {
			PrincipalID: d.Viewer,
			Kind:        "user",
			DisplayName: "P",
			Reasons:     watchers.Subscribed,
			Scope:       subscriptions.ScopeDescendants,
		},
		d.Owner: {
			PrincipalID: d.Owner,
			Kind:        "user",
			DisplayName: "P",
			Reasons:     watchers.Subscribed | watchers.Owner,
			Scope:       subscriptions.ScopeResource,
		},
		d.Delegator: {PrincipalID: d.Delegator, Kind: "user", DisplayName: "P", Reasons: watchers.Delegator},
		d.Unknown: {
			PrincipalID: d.Unknown, Reasons: watchers.Subscribed, Scope: subscriptions.ScopeResource,
		},
	}
	for _, limit := range []int{0, 1, 2, 4, 5} {
		got := map[uuid.UUID]watchers.Watcher{}
		for page := (subscriptions.Page{Limit: limit}); ; {
			list, next, err := watchers.List(t.Context(), d.DB.Pool, d.ID, d.Doc, page)
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
	for name, resource := range map[string]uuid.UUID{
		"unknown resource": uuid.New(), "another tenant's resource": foreign.Doc,
	} {
		list, next, err := watchers.List(t.Context(), d.DB.Pool, d.ID, resource, subscriptions.Page{})
		if err != nil || len(list) != 0 || next != uuid.Nil {
			t.Errorf("%s: got %v, %v, %v, want no watchers", name, list, next, err)
		}
	}
}

// TestListSkipsInactive checks that inactive watchers shorten no page.
func TestListSkipsInactive(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	d.Exec(t, `
		WITH inactive AS (
			INSERT INTO fanfare.principals (tenant_id, id, active)
			SELECT $1, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, false
			FROM generate_series(1, 30) AS n
			RETURNING id
		)
		INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
		SELECT $1, id, $2 FROM inactive`, d.ID, d.Doc)
	list, next, err := watchers.List(t.Context(), d.DB.Pool, d.ID, d.Doc, subscriptions.Page{Limit: 1})
	if err != nil || len(list) != 1 || next != list[0].PrincipalID {
		t.Errorf("got %v, next %v, %v, want one watcher and a next after it", list, next, err)
	}
}
