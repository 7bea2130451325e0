package directory_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

var visibilities = [4]activity.Visibility(activity.Visibilities())

func TestAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		access directory.Access
		want   [4]bool // by visibilities
	}{
		{directory.Access{}, [4]bool{false, false, false, true}},
		{directory.Access{InScope: true}, [4]bool{false, false, true, true}},
		{directory.Access{OnChain: true}, [4]bool{false, true, true, true}},
		{directory.Access{OnChain: true, InScope: true}, [4]bool{false, true, true, true}},
		{directory.Access{Manager: true}, [4]bool{true, true, true, true}},
		{directory.Access{Party: true}, [4]bool{true, true, true, true}},
	} {
		for i, v := range visibilities {
			if got := directory.Allowed(v, tt.access); got != tt.want[i] {
				t.Errorf("%s with %+v: got %t, want %t", v, tt.access, got, tt.want[i])
			}
		}
		if got, want := directory.Allowed("unknown", tt.access), tt.access.Manager || tt.access.Party; got != want {
			t.Errorf("an unknown visibility with %+v: got %t, want %t", tt.access, got, want)
		}
	}
}

func TestDependsOnRoles(t *testing.T) {
	t.Parallel()
	for i, want := range [4][2]bool{{}, {true, false}, {true, true}, {}} {
		onChain, inScope := directory.DependsOnRoles(visibilities[i])
		if got := [2]bool{onChain, inScope}; got != want {
			t.Errorf("%s: got %v, want %v", visibilities[i], got, want)
		}
	}
}

func TestCanViewByVisibility(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	foreign := directorytest.New(t, d.DB)
	actor, target := d.Stranger, uuid.New()
	var queries []directory.AccessQuery
	for _, v := range visibilities {
		queries = append(queries, directory.AccessQuery{
			ResourceID: d.Doc, ActorID: actor, TargetIDs: []uuid.UUID{uuid.New(), target}, Visibility: v,
		})
	}
	for _, tt := range []struct {
		name      string
		principal activity.Principal
		want      [4]bool // by visibilities
	}{
		{"owner", d.Principal(d.Owner), [4]bool{true, true, true, true}},
		{"delegator on an ancestor", d.Principal(d.Delegator), [4]bool{true, true, true, true}},
		{"target that the directory does not contain", d.Principal(target), [4]bool{true, true, true, true}},
		{"actor", d.Principal(actor), [4]bool{true, true, true, true}},
		{"role on an ancestor", d.Principal(d.Viewer), [4]bool{false, true, true, true}},
		{"role on a sibling", d.Principal(d.Neighbour), [4]bool{false, false, true, true}},
		{"principal that the directory does not contain", d.Principal(d.Unknown), [4]bool{false, false, false, true}},
		{"inactive owner by role", d.Principal(d.Inactive), [4]bool{}},
		{"owner, in another tenant", foreign.Principal(d.Owner), [4]bool{false, false, false, true}},
		{"another tenant's owner", d.Principal(foreign.Owner), [4]bool{false, false, false, true}},
	} {
		got, err := directory.CanView(t.Context(), d.DB.Pool, tt.principal, queries)
		if err != nil {
			t.Fatal(err)
		}
		if [4]bool(got) != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestCanViewReflectsTheCurrentDirectory(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	canView := func(principal uuid.UUID, q directory.AccessQuery) bool {
		t.Helper()
		allowed, err := directory.CanView(t.Context(), d.DB.Pool, d.Principal(principal), []directory.AccessQuery{q})
		if err != nil {
			t.Fatal(err)
		}
		return allowed[0]
	}
	doc := directory.AccessQuery{
		ResourceID: d.Doc,
		OwnerID:    d.Stranger,
		ParentID:   d.OtherTeam,
		Visibility: activity.ResourceWide,
	}
	if !canView(d.Owner, doc) || canView(d.Stranger, doc) {
		t.Error("resource in the directory: want the owner in the directory, not that of the activity")
	}
	d.Exec(t, `UPDATE fanfare.role_bindings SET revoked_at = now() WHERE tenant_id = $1 AND principal_id = $2`,
		d.ID, d.Viewer)
	if canView(d.Viewer, doc) {
		t.Error("revoked role: got allowed, want not")
	}
	d.Exec(t, `DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2`, d.ID, d.Doc)
	d.AddRole(t, d.Viewer, d.OtherTeam, "viewer")
	if canView(d.Owner, doc) || !canView(d.Stranger, doc) {
		t.Error("deleted resource: want the owner of the activity, not the last in the directory")
	}
	if !canView(d.Viewer, doc) {
		t.Error("deleted resource: want the chain to continue from the parent of the activity")
	}
	d.Exec(t, `UPDATE fanfare.principals SET active = false WHERE tenant_id = $1 AND id = $2`, d.ID, d.Stranger)
	own := directory.AccessQuery{ActorID: d.Stranger, Visibility: activity.TenantVisible}
	if canView(d.Stranger, doc) || canView(d.Stranger, own) {
		t.Error("inactive principal: got allowed, want not")
	}
}

func TestCanViewWithCyclesAndDeepTrees(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	a, b := uuid.New(), uuid.New()
	d.AddResource(t, a, b, uuid.Nil)
	d.AddResource(t, b, a, uuid.Nil)
	d.AddRole(t, d.Viewer, b, "viewer")
	chain := make([]uuid.UUID, directory.MaxDepth+3)
	for i := range chain {
		chain[i] = uuid.New()
	}
	d.Exec(t, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, type) SELECT $1, r.id, p.id, 'level'
		FROM unnest($2::uuid[]) WITH ORDINALITY AS r(id, n)
		LEFT JOIN unnest($2::uuid[]) WITH ORDINALITY AS p(id, n) ON p.n = r.n + 1`, d.ID, chain)
	d.AddRole(t, d.Viewer, chain[directory.MaxDepth+1], "viewer")
	allowed, err := directory.CanView(t.Context(), d.DB.Pool, d.Principal(d.Viewer), []directory.AccessQuery{
		{ResourceID: a, Visibility: activity.ResourceWide},
		{ResourceID: a, Visibility: activity.ScopeWide},
		{ResourceID: a, Visibility: activity.Private},
		{ResourceID: chain[1], Visibility: activity.ResourceWide},
		{ResourceID: chain[0], Visibility: activity.ResourceWide},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := [5]bool{true, true, false, true, false}; [5]bool(allowed) != want {
		t.Errorf("got %v, want %v", allowed, want)
	}
}

func TestCanViewWithoutQueries(t *testing.T) {
	t.Parallel()
	allowed, err := directory.CanView(t.Context(), nil, activity.Principal{}, nil)
	if err != nil || len(allowed) != 0 {
		t.Errorf("got %v, %v, want an empty result without a statement", allowed, err)
	}
}

func TestHasRoleAndIsManager(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	foreign := directorytest.New(t, d.DB)
	for _, tt := range []struct {
		name                string
		principal, resource uuid.UUID
		role, manager       bool
	}{
		{"owner", d.Owner, d.Doc, true, true},
		{"owner, of the parent", d.Owner, d.Team, false, false},
		{"delegator on an ancestor", d.Delegator, d.Doc, true, true},
		{"role on the resource", d.Viewer, d.Team, true, false},
		{"role on an ancestor", d.Viewer, d.Doc, true, false},
		{"role on a descendant", d.Viewer, d.Org, false, false},
		{"role on a sibling", d.Neighbour, d.Doc, false, false},
		{"no role", d.Stranger, d.Doc, false, false},
		{"inactive", d.Inactive, d.Doc, false, false},
		{"unknown resource", d.Delegator, uuid.New(), false, false},
		{"another tenant's resource", d.Delegator, foreign.Doc, false, false},
		{"another tenant's principal", foreign.Delegator, d.Doc, false, false},
		{"no resource", d.Delegator, uuid.Nil, false, false},
	} {
		role, err := directory.HasRole(t.Context(), d.DB.Pool, d.Principal(tt.principal), tt.resource)
		if err != nil {
			t.Fatal(err)
		}
		manager, err := directory.IsManager(t.Context(), d.DB.Pool, d.Principal(tt.principal), tt.resource)
		if err != nil {
			t.Fatal(err)
		}
		if role != tt.role || manager != tt.manager {
			t.Errorf("%s: got role %t, manager %t, want %t, %t", tt.name, role, manager, tt.role, tt.manager)
		}
	}

	deleted := uuid.New()
	d.AddRole(t, d.Viewer, deleted, "owner")
	if role, err := directory.HasRole(t.Context(), d.DB.Pool, d.Principal(d.Viewer), deleted); err != nil || role {
		t.Errorf("role on a resource that the directory does not contain: got %t, %v, want false", role, err)
	}
}
