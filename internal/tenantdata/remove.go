package tenantdata

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// removeBatch is the number of rows that one transaction removes.
const removeBatch = 2000

// Found returns the name of a table in which a database has rows of the tenant, or "". It does not
// search the relations of the directory that are views in one of the databases.
func (s *Scope) Found(ctx context.Context, db pg.RowQuerier) (string, error) {
	for _, t := range s.stored() {
		var found bool
		err := db.QueryRow(ctx, fmt.Sprintf(`SELECT EXISTS (SELECT FROM fanfare.%s AS x WHERE %s)`,
			t.Name, s.of("x"))).Scan(&found)
		if err != nil {
			return "", fmt.Errorf("find rows of the tenant in fanfare.%s: %w", t.Name, err)
		}
		if found {
			return t.Name, nil
		}
	}
	return "", nil
}

// stored returns the tables that may have rows of the tenant, without views.
func (s *Scope) stored() (tables []Table) {
	views := map[string]bool{}
	for _, v := range s.Views {
		views[v] = true
	}
	for _, t := range Tables() {
		if !views[t.Name] && t.Kind != Bookkeeping {
			tables = append(tables, t)
		}
	}
	return tables
}

// Removed are numbers of removed rows by table.
type Removed map[string]int64

// RemoveSome removes a batch of the tenant's rows, in the caller's transaction, and returns the
// numbers; none if no row is left. The log is removed last, and only as
// fanfare.remove_moved_activities permits.
func (s *Scope) RemoveSome(ctx context.Context, tx pgx.Tx) (Removed, error) {
	for _, t := range s.stored() {
		if t.Kind == Log || t.Kind == Keys {
			continue
		}
		tag, err := tx.Exec(ctx, fmt.Sprintf(`
			DELETE FROM fanfare.%[1]s WHERE ctid = ANY (ARRAY(
			    SELECT x.ctid FROM fanfare.%[1]s AS x WHERE %[2]s LIMIT %[3]d))`, t.Name, s.of("x"), removeBatch))
		if err != nil {
			return nil, fmt.Errorf("remove rows of fanfare.%s: %w", t.Name, err)
		}
		if n := tag.RowsAffected(); n > 0 {
			return Removed{t.Name: n}, nil
		}
	}
	var removed, keys int64
	err := tx.QueryRow(ctx, `SELECT removed, keys FROM fanfare.remove_moved_activities($1, $2)`,
		[16]byte(s.Tenant), removeBatch).Scan(&removed, &keys)
	if err != nil {
		return nil, fmt.Errorf("remove activities: %w", err)
	}
	if removed > 0 {
		return Removed{"activities": removed, "idempotency_keys": keys}, nil
	}
	tag, err := tx.Exec(ctx, fmt.Sprintf(`DELETE FROM fanfare.idempotency_keys AS x WHERE %s`, s.of("x")))
	if err != nil {
		return nil, fmt.Errorf("remove idempotency keys: %w", err)
	}
	if n := tag.RowsAffected(); n > 0 {
		return Removed{"idempotency_keys": n}, nil
	}
	return nil, nil
}
