package watchers

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// loadTown makes a tenant of 20,000 principals with three roles and three subscriptions each, on
// 50,000 resources five levels deep. Number n of a kind has the id md5(kind || n).
func loadTown(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	for _, sql := range []string{
		`CREATE FUNCTION town(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5(kind || n)::uuid $$`,
		`INSERT INTO fanfare.principals (tenant_id, id, display_name) SELECT town('t', 1), town('p', n), 'P' || n FROM generate_series(1, 20000) n`,
		`INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type)
		 SELECT town('t', 1), town('r', n), CASE WHEN n > 1 THEN town('r', n / 15 + 1) END, town('p', n % 20000 + 1), 'thing' FROM generate_series(1, 50000) n`,
		`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		 SELECT town('t', 1), town('p', n), town('r', n * k % 3000 + 1), CASE n % 9 WHEN 0 THEN 'owner' ELSE 'viewer' END
		 FROM generate_series(1, 20000) n, generate_series(1, 3) k`,
		`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
		 SELECT town('t', 1), town('p', n), town('r', n * k % 3000 + 1), 'descendants' FROM generate_series(1, 20000) n, generate_series(1, 3) k
		 ON CONFLICT DO NOTHING`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func townID(t testing.TB, pool *pgxpool.Pool, kind string, n int) (id uuid.UUID) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), `SELECT town($1, $2)`, kind, n).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestPlansUseIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	loadTown(t, pool)
	tenant, principal, resource := townID(t, pool, "t", 1), townID(t, pool, "p", 7), townID(t, pool, "r", 40000)
	resources, parents, scopes := make([][16]byte, 500), make([]zeronull.UUID, 500), make([]bool, 500)
	for i := range resources {
		resources[i], scopes[i] = uuid.New(), i%2 == 0
	}
	for _, statistics := range []string{"SELECT", "ANALYZE"} {
		if _, err := pool.Exec(t.Context(), statistics); err != nil {
			t.Fatal(err)
		}
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pgtest.WantIndexes(t, tx, readTreeStatement, tenant, principal, resources, parents, scopes, MaxDepth)
		pgtest.WantIndexes(t, tx, listWatchers, tenant, resource, uuid.Nil, 1001, MaxDepth)
		pgtest.WantIndexes(t, tx, listSubscriptions, tenant, principal, uuid.Nil, 1001)
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkSees(b *testing.B) {
	pool := pgtest.New(b).Pool
	loadTown(b, pool)
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
	tenant, principal := townID(b, pool, "t", 1), townID(b, pool, "p", 7)
	for _, visibility := range []activity.Visibility{activity.ResourceWide, activity.ScopeWide} {
		for name, distinct := range map[string]int{"50-resources": 50, "500-resources": 500} {
			var sightings []Sighting
			for n := range distinct {
				sightings = append(
					sightings,
					Sighting{ResourceID: townID(b, pool, "r", 5000+n*80), Visibility: visibility},
				)
			}
			b.Run(string(visibility)+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if _, err := Sees(context.Background(), pool, tenant, principal, sightings); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
