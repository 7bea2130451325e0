package directory

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestReadTreeUsesIndexes(t *testing.T) {
	t.Parallel()
	large := directorytest.NewLarge(t, pgtest.New(t).Pool)
	principal := large.Principal(t, 7)
	resources, parents, scopes := make([][16]byte, 500), make([]zeronull.UUID, 500), make([]bool, 500)
	for i := range resources {
		resources[i], scopes[i] = uuid.New(), i%2 == 0
	}
	large.Transactions(t, func(tx pgx.Tx) {
		pgtest.WantIndexes(t, tx, pgtest.Query(t, tx, "tree_above", nil),
			principal.TenantID, principal.PrincipalID, resources, parents, scopes, MaxDepth, MaxNesting)
	})
}

func TestReachUsesIndexes(t *testing.T) {
	t.Parallel()
	large := directorytest.NewLarge(t, pgtest.New(t).Pool)
	principal := large.Principal(t, 7)
	large.Transactions(t, func(tx pgx.Tx) {
		pgtest.WantIndexes(t, tx, pgtest.Query(t, tx, "reach", nil),
			principal.TenantID, principal.PrincipalID, MaxReach, MaxDepth, MaxNesting)
	})
}

func BenchmarkCanView(b *testing.B) {
	pool := pgtest.New(b).Pool
	large := directorytest.NewLarge(b, pool)
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
	principal := large.Principal(b, 7)
	for _, visibility := range []activity.Visibility{activity.ResourceWide, activity.ScopeWide} {
		for _, resources := range []int{50, 500} {
			queries := make([]AccessQuery, resources)
			for n := range queries {
				queries[n] = AccessQuery{ResourceID: large.Resource(b, 5000+n*80), Visibility: visibility}
			}
			b.Run(fmt.Sprintf("%s/%d-resources", visibility, resources), func(b *testing.B) {
				for b.Loop() {
					if _, err := CanView(b.Context(), pool, principal, queries); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
