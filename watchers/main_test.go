package watchers_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// house is one tenant's directory: an org with two teams, and documents in them.
type house struct {
	db     *pgtest.DB
	tenant uuid.UUID

	// Principals, named for what they are to the first team's first document, doc.
	owner, delegator, viewer, neighbour, stranger, retired uuid.UUID
	org, team, doc, sibling, elsewhere                     uuid.UUID
}

func newHouse(t testing.TB, db *pgtest.DB) *house {
	t.Helper()
	h := &house{db: db, tenant: uuid.New()}
	for _, id := range []*uuid.UUID{
		&h.owner, &h.delegator, &h.viewer, &h.neighbour, &h.stranger, &h.retired, &h.org, &h.team, &h.doc, &h.sibling, &h.elsewhere,
	} {
		*id = uuid.New()
	}
	for _, p := range []uuid.UUID{h.owner, h.delegator, h.viewer, h.neighbour, h.stranger} {
		h.exec(t, `INSERT INTO fanfare.principals (tenant_id, id, display_name) VALUES ($1, $2, 'P')`, h.tenant, p)
	}
	h.exec(t, `INSERT INTO fanfare.principals (tenant_id, id, active) VALUES ($1, $2, false)`, h.tenant, h.retired)
	h.resource(t, h.org, uuid.Nil, uuid.Nil)
	h.resource(t, h.team, h.org, uuid.Nil)
	h.resource(t, h.doc, h.team, h.owner)
	h.resource(t, h.sibling, h.team, uuid.Nil)
	h.resource(t, h.elsewhere, h.org, uuid.Nil)
	h.role(t, h.delegator, h.org, "delegator")
	h.role(t, h.viewer, h.team, "viewer")
	h.role(t, h.neighbour, h.sibling, "viewer")
	h.role(t, h.retired, h.doc, "owner")
	return h
}

func (h *house) resource(t testing.TB, id, parent, owner uuid.UUID) {
	t.Helper()
	h.exec(t, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type)
		VALUES ($1, $2, nullif($3::uuid, $5::uuid), nullif($4::uuid, $5::uuid), 'doc')`, h.tenant, id, parent, owner, uuid.Nil)
}

func (h *house) role(t testing.TB, principal, resource uuid.UUID, name string) {
	t.Helper()
	h.exec(
		t,
		`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name) VALUES ($1, $2, $3, $4)`,
		h.tenant,
		principal,
		resource,
		name,
	)
}

func (h *house) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := h.db.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// begin gives a transaction that is rolled back with the test, unless it is committed.
func (h *house) begin(t testing.TB) pgx.Tx {
	t.Helper()
	tx, err := h.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	return tx
}

func commit(t testing.TB, tx pgx.Tx) {
	t.Helper()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}
