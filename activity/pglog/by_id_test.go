package pglog

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestByIDUsesThePrimaryKey asserts the plans of sessions that began while the log was empty.
func TestByIDUsesThePrimaryKey(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant, id := uuid.New(), uuid.Must(uuid.NewV7())
	for name, sql := range map[string]struct{ prepare, execute string }{
		"ids": {
			`PREPARE find (uuid[], uuid[]) AS
			 SELECT a.action FROM unnest($1, $2) AS u(id, tenant_id)
			 LEFT JOIN ` + ByID("u.id", "u.tenant_id") + ` ON true`,
			`EXECUTE find ('{}', '{}')`,
		},
		"Get": {
			`PREPARE find (uuid, uuid) AS ` + selectOne,
			`EXECUTE find ('` + tenant.String() + `', '` + id.String() + `')`,
		},
	} {
		plan := ""
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			for _, sql := range []string{`ANALYZE fanfare.activities`, pinIndex, sql.prepare} {
				if _, err := tx.Exec(t.Context(), sql); err != nil {
					return err
				}
			}
			rows, err := tx.Query(t.Context(), `EXPLAIN `+sql.execute)
			if err != nil {
				return err
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			plan = name + "\n" + strings.Join(lines, "\n")
			if err == nil {
				_, err = tx.Exec(t.Context(), `DEALLOCATE find`)
			}
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		pgtest.WantPrimaryKeys(t, plan)
	}
}
