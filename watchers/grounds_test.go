package watchers_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

// TestGrounds reads what principals hold themselves and through groups, on a resource, above and
// beside it.
func TestGrounds(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	foreign := directorytest.New(t, d.DB)
	crew, staff := uuid.New(), uuid.New()
	member := func(of *directorytest.Tenant, group, principal uuid.UUID) {
		t.Helper()
		of.Exec(t, `INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
			of.ID, group, principal)
	}
	subscribe := func(of *directorytest.Tenant, principal, resource uuid.UUID, scope string) (id uuid.UUID) {
		t.Helper()
		err := of.DB.Pool.QueryRow(t.Context(), `
			INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope) VALUES ($1, $2, $3, $4)
			RETURNING id`, of.ID, principal, resource, scope).Scan((*[16]byte)(&id))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	member(d, staff, crew)
	member(d, crew, staff) // a cycle
	member(d, crew, d.Viewer)
	member(foreign, crew, d.Stranger)
	d.AddRole(t, staff, d.Org, "editor")
	foreign.AddRole(t, crew, d.Doc, "owner")
	own := subscribe(d, d.Viewer, d.Doc, "resource")
	inherited := subscribe(d, staff, d.Team, "descendants")
	subscribe(d, d.Viewer, d.Org, "resource")       // does not reach the document
	subscribe(foreign, crew, d.Team, "descendants") // of another tenant
	d.Exec(t, `UPDATE fanfare.subscriptions SET revoked_at = now() WHERE tenant_id = $1 AND id = $2`,
		d.ID, subscribe(d, d.Viewer, d.Doc, "descendants"))

	a := &activity.Activity{TenantID: d.ID, ResourceID: d.Doc, ParentID: d.OtherTeam} // the directory's is Team
	read := func(a *activity.Activity) map[uuid.UUID][]watchers.Ground {
		t.Helper()
		found := map[uuid.UUID][]watchers.Ground{}
		batch := &pgx.Batch{}
		watchers.QueueGrounds(batch, a, []uuid.UUID{d.Viewer, d.Neighbour, d.Stranger, d.Delegator}, found)
		if err := d.DB.Pool.SendBatch(t.Context(), batch).Close(); err != nil {
			t.Fatal(err)
		}
		return found
	}
	type ground = watchers.Ground
	want := map[uuid.UUID][]ground{
		d.Viewer: {
			{HolderID: d.Viewer, SubscriptionID: own, Scope: "resource", ResourceID: d.Doc},
			{HolderID: staff, SubscriptionID: inherited, Scope: "descendants", ResourceID: d.Team, Above: 1},
			{HolderID: d.Viewer, Role: "viewer", ResourceID: d.Team, Above: 1},
			{HolderID: staff, Role: "editor", ResourceID: d.Org, Above: 2},
		},
		d.Delegator: {{HolderID: d.Delegator, Role: "delegator", ResourceID: d.Org, Above: 2}},
		d.Neighbour: {{HolderID: d.Neighbour, Role: "viewer", ResourceID: d.Sibling, Above: watchers.Beside}},
	}
	if diff := cmp.Diff(want, read(a)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}

	d.Exec(t, `DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2`, d.ID, d.Doc)
	a.ParentID = d.Team
	if diff := cmp.Diff(want, read(a)); diff != "" {
		t.Errorf("without the resource, -want +got\n%s", diff)
	}
	for range 20 {
		group := uuid.New()
		member(d, group, d.Viewer)
		d.AddRole(t, group, d.Doc, "owner")
		subscribe(d, group, d.Doc, "resource")
	}
	got := read(a)[d.Viewer]
	subscriptions := slices.DeleteFunc(slices.Clone(got), func(g ground) bool { return g.SubscriptionID == uuid.Nil })
	if len(got) != 20 || len(subscriptions) != 10 || subscriptions[0].SubscriptionID != own {
		t.Errorf("got %d grounds, %d of them subscriptions, want 20 and 10, its own first",
			len(got), len(subscriptions))
	}
}
