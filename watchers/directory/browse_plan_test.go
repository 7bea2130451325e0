package directory

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// newWide returns a large tenant in which 100,000 more resources are below number 2.
func newWide(t testing.TB, pool *pgxpool.Pool) directorytest.Large {
	t.Helper()
	large := directorytest.NewLarge(t, pool)
	for _, sql := range []string{
		`UPDATE fanfare.resources SET name = 'Resource ' || substr(id::text, 1, 8)`,
		`INSERT INTO fanfare.resources (tenant_id, id, parent_id, type, name)
		 SELECT large_id('t', 1), large_id('w', n), large_id('r', 2), 'thing', 'Wide ' || n
		 FROM generate_series(1, 100000) n`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return large
}

func TestListsUseIndexes(t *testing.T) {
	t.Parallel()
	large := directorytest.NewLarge(t, pgtest.New(t).Pool)
	p := large.Principal(t, 7)
	parent := large.Resource(t, 2)
	ids, flags := make([]uuid.UUID, 200), make([]bool, 200)
	for i := range ids {
		ids[i], flags[i] = uuid.New(), i%2 == 0
	}
	large.Transactions(t, func(tx pgx.Tx) {
		for _, f := range []struct {
			name string
			sort string // the setting of the function
			args []any
		}{
			{"resource_children", "off", []any{p.TenantID, parent, uuid.Nil, browseChunk}},
			{"resource_children", "off", []any{p.TenantID, nil, uuid.Nil, browseChunk}},
			{"resources_held", "on", []any{p.TenantID, p.PrincipalID, uuid.Nil, browseChunk, MaxNesting}},
			{"resource_rows", "on", []any{p.TenantID, p.PrincipalID, pg.UUIDs(ids), flags, MaxNesting}},
			{"resources_named", "off", []any{p.TenantID, "%x%", uuid.Nil, 51, 1000}},
			{"resources_below", "on", []any{
				p.TenantID, p.PrincipalID, parent, "%x%", uuid.Nil, 51, MaxVisited, MaxNesting,
			}},
			{"resources_below", "on", []any{
				p.TenantID, p.PrincipalID, nil, "%x%", uuid.Nil, 51, MaxVisited, MaxNesting,
			}},
			{"principals_of", "on", []any{p.TenantID, pg.UUIDs(ids)}},
			{"principals_named", "off", []any{p.TenantID, "%x%", uuid.Nil, 51, 1000}},
		} {
			if _, err := tx.Exec(t.Context(), `SET LOCAL jit = off; SET LOCAL enable_sort = `+f.sort); err != nil {
				t.Fatal(err)
			}
			pgtest.WantIndexes(t, tx, pgtest.Query(t, tx, f.name, nil), f.args...)
		}
		// Roots are found by the index, not among all resources of the tenant.
		statement := pgtest.Query(t, tx, "resource_children", nil)
		custom, generic := pgtest.Plans(t, tx, statement, p.TenantID, nil, uuid.Nil, browseChunk)
		for _, plan := range []string{custom, generic} {
			if !strings.Contains(plan, "resources_parent") || strings.Contains(plan, "resources_pkey") {
				t.Errorf("roots: got the plan\n%s", plan)
			}
		}
	})
}

// BenchmarkListResources lists and searches 150,000 resources.
func BenchmarkListResources(b *testing.B) {
	pool := pgtest.New(b).Pool
	large := newWide(b, pool)
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
	one := Reader{Principal: large.Principal(b, 7)}
	all := Reader{Principal: large.Principal(b, 7), All: true}
	root := Reader{Principal: activity.Principal{TenantID: one.TenantID, PrincipalID: uuid.New()}}
	if _, err := pool.Exec(b.Context(), `INSERT INTO fanfare.role_bindings
		(tenant_id, principal_id, scope_resource_id, role_name) VALUES ($1, $2, $3, 'viewer')`,
		root.TenantID, root.PrincipalID, large.Resource(b, 1)); err != nil {
		b.Fatal(err)
	}
	wide := large.Resource(b, 2)
	for _, each := range []struct {
		name   string
		reader Reader
		query  ResourceQuery
	}{
		{"the highest", one, ResourceQuery{}},
		{"the roots", all, ResourceQuery{}},
		{"below a wide one", all, ResourceQuery{ParentID: wide}},
		{"below a wide one by a role", root, ResourceQuery{ParentID: wide}},
		{"search what three roles see", one, ResourceQuery{Name: "resource ff"}},
		{"search below a wide one", all, ResourceQuery{ParentID: wide, Name: "wide 99999"}},
		{"search what a role at the root sees", root, ResourceQuery{Name: "wide 99999"}},
		{"search all, frequent", all, ResourceQuery{Name: "wide 9"}},
		{"search all, rare", all, ResourceQuery{Name: "wide 99999"}},
	} {
		each.query.Limit = 50
		b.Run(each.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := ListResources(b.Context(), pool, each.reader, each.query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
