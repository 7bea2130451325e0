// Package directorytest fills the directory for the tests of watchers and its packages.
package directorytest

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// Tenant is the directory of one tenant: an organization with two teams, and documents below the
// first team.
type Tenant struct {
	DB *pgtest.DB
	ID uuid.UUID

	// Principals, named for their relation to Doc. Unknown is not in the directory.
	Owner, Delegator, Viewer, Neighbour, Stranger, Inactive, Unknown uuid.UUID

	// Resources: Team and OtherTeam are below Org, Doc and Sibling below Team.
	Org, Team, OtherTeam, Doc, Sibling uuid.UUID
}

// New adds a tenant to the directory. All its principals have the display name "P".
func New(t testing.TB, db *pgtest.DB) *Tenant {
	t.Helper()
	d := &Tenant{DB: db, ID: uuid.New()}
	for _, id := range []*uuid.UUID{
		&d.Owner, &d.Delegator, &d.Viewer, &d.Neighbour, &d.Stranger, &d.Inactive, &d.Unknown,
		&d.Org, &d.Team, &d.OtherTeam, &d.Doc, &d.Sibling,
	} {
		*id = uuid.New()
	}
	for _, p := range []uuid.UUID{d.Owner, d.Delegator, d.Viewer, d.Neighbour, d.Stranger} {
		d.Exec(t, `INSERT INTO fanfare.principals (tenant_id, id, display_name) VALUES ($1, $2, 'P')`, d.ID, p)
	}
	d.Exec(t, `INSERT INTO fanfare.principals (tenant_id, id, active) VALUES ($1, $2, false)`, d.ID, d.Inactive)
	d.AddResource(t, d.Org, uuid.Nil, uuid.Nil)
	d.AddResource(t, d.Team, d.Org, uuid.Nil)
	d.AddResource(t, d.OtherTeam, d.Org, uuid.Nil)
	d.AddResource(t, d.Doc, d.Team, d.Owner)
	d.AddResource(t, d.Sibling, d.Team, uuid.Nil)
	d.AddRole(t, d.Delegator, d.Org, "delegator")
	d.AddRole(t, d.Viewer, d.Team, "viewer")
	d.AddRole(t, d.Neighbour, d.Sibling, "viewer")
	d.AddRole(t, d.Inactive, d.Doc, "owner")
	return d
}

// Principal returns a principal of the tenant.
func (d *Tenant) Principal(id uuid.UUID) activity.Principal {
	return activity.Principal{TenantID: d.ID, PrincipalID: id}
}

// AddResource adds a resource; uuid.Nil is no parent and no owner.
func (d *Tenant) AddResource(t testing.TB, id, parent, owner uuid.UUID) {
	t.Helper()
	d.Exec(t, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type)
		VALUES ($1, $2, nullif($3::uuid, $5::uuid), nullif($4::uuid, $5::uuid), 'doc')`,
		d.ID, id, parent, owner, uuid.Nil)
}

// AddRole adds a role binding.
func (d *Tenant) AddRole(t testing.TB, principal, resource uuid.UUID, role string) {
	t.Helper()
	d.Exec(t, `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $3, $4)`, d.ID, principal, resource, role)
}

// Exec runs a statement.
func (d *Tenant) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := d.DB.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// Begin begins a transaction. It is rolled back at the end of the test unless the test commits it.
func (d *Tenant) Begin(t testing.TB) pgx.Tx {
	t.Helper()
	tx, err := d.DB.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	return tx
}
