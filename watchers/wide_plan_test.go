package watchers

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestOneWideResourceDoesNotChangeThePlan gives one resource 200,000 subscriptions, or as many role
// bindings. The statistics then say that any resource has thousands, and the plan must read by
// resource all the same.
func TestOneWideResourceDoesNotChangeThePlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ columns, more, byResource, byPrincipal string }{
		"subscriptions": {
			"fanfare.subscriptions (tenant_id, principal_id, resource_id)", "",
			"subscriptions_active", "subscriptions_principal",
		},
		"role bindings": {
			"fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)", ", 'delegator'",
			"role_bindings_scope", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t).Pool
			tenant, wide := uuid.New(), uuid.New()
			table, _, _ := strings.Cut(c.columns, " ")
			for _, sql := range []string{
				`INSERT INTO ` + c.columns + ` SELECT '` + tenant.String() + `', gen_random_uuid(), '` + wide.String() +
					`'` + c.more + ` FROM generate_series(1, 200000)`,
				`INSERT INTO ` + c.columns + ` SELECT '` + tenant.String() + `', gen_random_uuid(), gen_random_uuid()` +
					c.more + ` FROM generate_series(1, 100)`,
				`VACUUM ANALYZE ` + table,
			} {
				if _, err := pool.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			var q Query
			q.Limit, q.MaxRows = 5001, 100000
			for range 100 {
				q.Add(&activity.Activity{TenantID: tenant, ResourceID: uuid.New(), Visibility: activity.ResourceWide})
			}
			tx, err := pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(t.Context()) }()
			sql := pgtest.Query(t, tx, "candidates", map[string]string{"grouped": "true", "leveled": "true"})
			custom, generic := pgtest.Plans(t, tx, sql, q.arguments()...)
			for kind, plan := range map[string]string{"custom": custom, "generic": generic} {
				if !strings.Contains(plan, c.byResource) ||
					c.byPrincipal != "" && strings.Contains(plan, c.byPrincipal) {
					t.Errorf("%s plan: want %s read by resource:\n%s", kind, name, plan)
				}
			}
		})
	}
}
