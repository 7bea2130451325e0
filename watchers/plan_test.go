package watchers

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestCandidatesUseIndexes plans the query of candidates for tenants with and without groups and
// levels, for a batch and for a page.
func TestCandidatesUseIndexes(t *testing.T) {
	t.Parallel()
	large := directorytest.NewLarge(t, pgtest.New(t).Pool)
	q := Query{Limit: 5001, MaxRows: 50000}
	for n := range 100 {
		q.Add(&activity.Activity{
			TenantID: large.Principal(t, 1).TenantID, ResourceID: large.Resource(t, 40000+n), Visibility: activity.ScopeWide,
		})
	}
	large.Transactions(t, func(tx pgx.Tx) {
		for _, variable := range []string{"true", "false"} {
			sql := pgtest.Query(t, tx, "candidates", map[string]string{"grouped": variable, "leveled": variable})
			for _, q.Paged = range []bool{false, true} {
				pgtest.WantIndexes(t, tx, sql, q.arguments()...)
			}
		}
	})
}
