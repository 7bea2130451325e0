package feed

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestReachUsesThePrimaryKey asserts the plans of a session that began while the log was empty.
func TestReachUsesThePrimaryKey(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	principal := activity.Principal{TenantID: uuid.New(), PrincipalID: uuid.New()}
	scan := pglog.Scan{Tenant: principal.TenantID, Limit: ReadBudget}
	for _, whole := range []bool{true, false} {
		statement, args := reachedStatement(principal, scan, activity.DefaultPage+1, whole)
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			for _, sql := range []string{`ANALYZE fanfare.activities`, pglog.PinOrder} {
				if _, err := tx.Exec(t.Context(), sql); err != nil {
					return err
				}
			}
			custom, generic := pgtest.Plans(t, tx, statement, args...)
			pgtest.WantPrimaryKeys(t, custom)
			if whole { // at the start of a generic plan, partitions outside of the scan's ids are removed
				pgtest.WantPrimaryKeys(t, generic)
			}
			return nil
		})
		if err != nil {
			t.Fatal(fmt.Errorf("whole %t: %w", whole, err))
		}
	}
}
