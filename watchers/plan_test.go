package watchers

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// TestCandidatesUseIndexes plans the query of candidates for tenants with and without groups and
// levels, for a batch and for a page, and the query of grounds for a page.
func TestCandidatesUseIndexes(t *testing.T) {
	t.Parallel()
	large := directorytest.NewLarge(t, pgtest.New(t).Pool)
	q := Query{Limit: 5001, MaxRows: 50000}
	for n := range 100 {
		q.Add(&activity.Activity{
			TenantID: large.Principal(t, 1).TenantID, ResourceID: large.Resource(t, 40000+n),
			Visibility: activity.ScopeWide,
		})
	}
	var principals []uuid.UUID
	for n := range 200 {
		principals = append(principals, large.Principal(t, n+1).PrincipalID)
	}
	large.Transactions(t, func(tx pgx.Tx) {
		if _, err := tx.Exec(t.Context(), `SET LOCAL jit = off`); err != nil { // as the functions do
			t.Fatal(err)
		}
		for _, variable := range []string{"true", "false"} {
			sql := pgtest.Query(t, tx, "candidates", map[string]string{"grouped": variable, "leveled": variable})
			for _, q.Paged = range []bool{false, true} {
				pgtest.WantIndexes(t, tx, sql, q.arguments()...)
			}
		}
		parent := large.Resource(t, 40000/15+1)
		sql := pgtest.Query(t, tx, "grounds", map[string]string{
			"path": "ARRAY[$3::uuid, $4::uuid]", "direct": "CASE WHEN $5::int > 0 THEN $4::uuid END",
		})
		pgtest.WantIndexes(t, tx, sql, large.Principal(t, 1).TenantID, principals, large.Resource(t, 40000), parent,
			directory.MaxDepth, maxGrounds)
	})
}
