package levels

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestPlansUseIndexes checks the plans for a principal with many of the tenant's levels.
func TestPlansUseIndexes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	large := directorytest.NewLarge(t, db.Pool)
	principal := large.Principal(t, 7)
	if _, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level)
		SELECT $1, CASE WHEN n % 2 = 0 THEN $2 ELSE gen_random_uuid() END, gen_random_uuid(), 'ignore'
		FROM generate_series(1, 20000) AS n`, principal.TenantID, principal.PrincipalID); err != nil {
		t.Fatal(err)
	}
	large.Transactions(t, func(tx pgx.Tx) {
		pgtest.WantIndexes(t, tx, selectLevels, principal.TenantID, principal.PrincipalID, uuid.Nil, 1001)
		pgtest.WantIndexes(t, tx, selectAmong, principal.TenantID, principal.PrincipalID,
			[]uuid.UUID{uuid.New(), uuid.New()})
	})
}
