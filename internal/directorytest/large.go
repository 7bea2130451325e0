package directorytest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
)

// Large is a tenant of 20,000 principals with three roles, three subscriptions, a preference, a
// group and a level each, and 50,000 resources in five levels.
type Large struct{ pool *pgxpool.Pool }

// NewLarge adds a large tenant to the directory, once for a database.
func NewLarge(t testing.TB, pool *pgxpool.Pool) Large {
	t.Helper()
	for _, sql := range []string{
		`CREATE FUNCTION large_id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
		 AS $$ SELECT md5(kind || n)::uuid $$`,
		`INSERT INTO fanfare.principals (tenant_id, id, display_name)
		 SELECT large_id('t', 1), large_id('p', n), 'P' || n FROM generate_series(1, 20000) n`,
		`INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type)
		 SELECT large_id('t', 1), large_id('r', n), CASE WHEN n > 1 THEN large_id('r', n / 15 + 1) END,
		        large_id('p', n % 20000 + 1), 'thing'
		 FROM generate_series(1, 50000) n`,
		`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		 SELECT large_id('t', 1), large_id('p', n), large_id('r', n * k % 3000 + 1),
		        CASE n % 9 WHEN 0 THEN 'owner' ELSE 'viewer' END
		 FROM generate_series(1, 20000) n, generate_series(1, 3) k`,
		`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
		 SELECT large_id('t', 1), large_id('p', n), large_id('r', n * k % 3000 + 1), 'descendants'
		 FROM generate_series(1, 20000) n, generate_series(1, 3) k
		 ON CONFLICT DO NOTHING`,
		`INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode)
		 SELECT large_id('t', 1), large_id('p', n), 'all' FROM generate_series(1, 20000) n`,
		`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id)
		 SELECT large_id('t', 1), large_id('g', n % 1000), large_id('p', n) FROM generate_series(1, 20000) n`,
		`INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level)
		 SELECT large_id('t', 1), large_id('p', n), large_id('r', n), 'all' FROM generate_series(1, 20000) n`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return Large{pool}
}

// Principal returns principal number n, from 1 to 20,000.
func (l Large) Principal(t testing.TB, n int) activity.Principal {
	t.Helper()
	return activity.Principal{TenantID: l.id(t, "t", 1), PrincipalID: l.id(t, "p", n)}
}

// Resource returns the id of resource number n, from 1 to 50,000. A higher number is deeper.
func (l Large) Resource(t testing.TB, n int) uuid.UUID {
	t.Helper()
	return l.id(t, "r", n)
}

func (l Large) id(t testing.TB, kind string, n int) (id uuid.UUID) {
	t.Helper()
	if err := l.pool.QueryRow(t.Context(), `SELECT large_id($1, $2)`, kind, n).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// Transactions calls f with a transaction twice: without statistics of the tables, and with them.
func (l Large) Transactions(t testing.TB, f func(tx pgx.Tx)) {
	t.Helper()
	for _, statement := range []string{"SELECT", "ANALYZE"} {
		if _, err := l.pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		tx, err := l.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f(tx)
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
