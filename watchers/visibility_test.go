package watchers_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

func TestSeesByVisibility(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	foreign := newHouse(t, h.db)
	actor, target := h.stranger, uuid.New()
	sightings := make([]watchers.Sighting, 0, 4)
	for _, v := range []activity.Visibility{activity.Private, activity.ResourceWide, activity.ScopeWide, activity.TenantVisible} {
		sightings = append(
			sightings,
			watchers.Sighting{ResourceID: h.doc, ActorID: actor, TargetID: target, Visibility: v},
		)
	}
	for _, tt := range []struct {
		name      string
		tenant    uuid.UUID
		principal uuid.UUID
		want      [4]bool // private, resource, scope, tenant
	}{
		{"the owner", h.tenant, h.owner, [4]bool{true, true, true, true}},
		{"a delegator of an ancestor", h.tenant, h.delegator, [4]bool{true, true, true, true}},
		{"the target, whom the directory does not know", h.tenant, target, [4]bool{true, true, true, true}},
		{"the actor", h.tenant, actor, [4]bool{true, true, true, true}},
		{"a holder of a role on an ancestor", h.tenant, h.viewer, [4]bool{false, true, true, true}},
		{"a holder of a role beside it", h.tenant, h.neighbour, [4]bool{false, false, true, true}},
		{"a principal that the directory does not know", h.tenant, uuid.New(), [4]bool{false, false, false, true}},
		{"an inactive owner by role", h.tenant, h.retired, [4]bool{}},
		{"the owner, asked in another tenant", foreign.tenant, h.owner, [4]bool{false, false, false, true}},
		{"another tenant's owner", h.tenant, foreign.owner, [4]bool{false, false, false, true}},
	} {
		got, err := watchers.Sees(t.Context(), h.db.Pool, tt.tenant, tt.principal, sightings)
		if err != nil {
			t.Fatal(err)
		}
		if [4]bool(got) != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSeesWhatHoldsNow(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	sees := func(principal uuid.UUID, s watchers.Sighting) bool {
		t.Helper()
		seen, err := watchers.Sees(t.Context(), h.db.Pool, h.tenant, principal, []watchers.Sighting{s})
		if err != nil {
			t.Fatal(err)
		}
		return seen[0]
	}
	doc := watchers.Sighting{
		ResourceID: h.doc,
		OwnerID:    h.stranger,
		ParentID:   h.elsewhere,
		Visibility: activity.ResourceWide,
	}
	if !sees(h.owner, doc) || sees(h.stranger, doc) {
		t.Error("while the directory holds the resource: want its owner now, not the activity's")
	}
	h.exec(
		t,
		`UPDATE fanfare.role_bindings SET revoked_at = now() WHERE tenant_id = $1 AND principal_id = $2`,
		h.tenant,
		h.viewer,
	)
	if sees(h.viewer, doc) {
		t.Error("with the role revoked: got seen, want not")
	}
	h.exec(t, `DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2`, h.tenant, h.doc)
	h.role(t, h.viewer, h.elsewhere, "viewer")
	if sees(h.owner, doc) || !sees(h.stranger, doc) {
		t.Error("of a resource that is gone: want the activity's owner, not the last")
	}
	if !sees(h.viewer, doc) {
		t.Error("of a resource that is gone: want the chain to go on from the activity's parent")
	}
	h.exec(t, `UPDATE fanfare.principals SET active = false WHERE tenant_id = $1 AND id = $2`, h.tenant, h.stranger)
	if sees(h.stranger, doc) ||
		sees(h.stranger, watchers.Sighting{ActorID: h.stranger, Visibility: activity.TenantVisible}) {
		t.Error("an inactive principal: got seen, want nothing")
	}
}

func TestSeesEndsInACycleAndAtADepth(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	a, b := uuid.New(), uuid.New()
	h.resource(t, a, b, uuid.Nil)
	h.resource(t, b, a, uuid.Nil)
	h.role(t, h.viewer, b, "viewer")
	chain := make([]uuid.UUID, watchers.MaxDepth+3)
	for i := range chain {
		chain[i] = uuid.New()
	}
	h.exec(t, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, type) SELECT $1, r.id, p.id, 'level'
		FROM unnest($2::uuid[]) WITH ORDINALITY AS r(id, n) LEFT JOIN unnest($2::uuid[]) WITH ORDINALITY AS p(id, n) ON p.n = r.n + 1`, h.tenant, chain)
	h.role(t, h.viewer, chain[watchers.MaxDepth+1], "viewer")
	seen, err := watchers.Sees(t.Context(), h.db.Pool, h.tenant, h.viewer, []watchers.Sighting{
		{ResourceID: a, Visibility: activity.ResourceWide},
		{ResourceID: a, Visibility: activity.ScopeWide},
		{ResourceID: a, Visibility: activity.Private},
		{ResourceID: chain[1], Visibility: activity.ResourceWide},
		{ResourceID: chain[0], Visibility: activity.ResourceWide},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := [5]bool{true, true, false, true, false}; [5]bool(seen) != want {
		t.Errorf("got %v, want %v", seen, want)
	}
}

func TestSeesOfNothing(t *testing.T) {
	t.Parallel()
	seen, err := watchers.Sees(t.Context(), nil, uuid.New(), uuid.New(), nil)
	if err != nil || len(seen) != 0 {
		t.Errorf("got %v, %v, want nothing, and the database left alone", seen, err)
	}
}

func TestHasRoleAndIsKeeper(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	foreign := newHouse(t, h.db)
	for _, tt := range []struct {
		name                string
		principal, resource uuid.UUID
		role, keeper        bool
	}{
		{"owner", h.owner, h.doc, true, true},
		{"owner, of the parent", h.owner, h.team, false, false},
		{"delegator of an ancestor", h.delegator, h.doc, true, true},
		{"role on the resource", h.viewer, h.team, true, false},
		{"role on an ancestor", h.viewer, h.doc, true, false},
		{"role on a descendant", h.viewer, h.org, false, false},
		{"role beside", h.neighbour, h.doc, false, false},
		{"no role", h.stranger, h.doc, false, false},
		{"inactive", h.retired, h.doc, false, false},
		{"unknown resource", h.delegator, uuid.New(), false, false},
		{"another tenant's resource", h.delegator, foreign.doc, false, false},
		{"another tenant's principal", foreign.delegator, h.doc, false, false},
		{"no resource", h.delegator, uuid.Nil, false, false},
	} {
		role, err := watchers.HasRole(t.Context(), h.db.Pool, h.tenant, tt.principal, tt.resource)
		if err != nil {
			t.Fatal(err)
		}
		keeper, err := watchers.IsKeeper(t.Context(), h.db.Pool, h.tenant, tt.principal, tt.resource)
		if err != nil {
			t.Fatal(err)
		}
		if role != tt.role || keeper != tt.keeper {
			t.Errorf("%s: got role %v, keeper %v, want %v, %v", tt.name, role, keeper, tt.role, tt.keeper)
		}
	}

	gone := uuid.New()
	h.role(t, h.viewer, gone, "owner")
	if role, err := watchers.HasRole(t.Context(), h.db.Pool, h.tenant, h.viewer, gone); err != nil || role {
		t.Errorf("role on what the directory does not hold: got %v, %v, want false", role, err)
	}
}
