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

// Remover removes the rows of a tenant in batches. It remembers where the last batch ended, since
// the next one would otherwise pass over all rows that were removed before.
type Remover struct {
	scope  *Scope
	tables []Table // that may still have rows; the log is the last one
	after  Key     // in the first of them
}

// NewRemover returns a Remover that begins with the first row.
func (s *Scope) NewRemover() *Remover {
	r := &Remover{scope: s}
	var log []Table
	for _, t := range s.stored() {
		switch t.Kind {
		case Log, Keys:
			log = append(log, t)
		default:
			r.tables = append(r.tables, t)
		}
	}
	r.tables = append(r.tables, log...)
	return r
}

// Some removes a batch, in the caller's transaction, and returns the numbers; nil if no row is
// left. It removes activities only as fanfare.remove_moved_activities permits.
func (r *Remover) Some(ctx context.Context, tx pgx.Tx) (Removed, error) {
	for len(r.tables) > 0 {
		t := r.tables[0]
		removed, err := r.from(ctx, tx, t)
		if err != nil {
			return nil, fmt.Errorf("remove rows of fanfare.%s: %w", t.Name, err)
		}
		if removed[t.Name] > 0 {
			return removed, nil
		}
		r.tables, r.after = r.tables[1:], nil
	}
	return nil, nil
}

// from removes a batch of rows of one table.
func (r *Remover) from(ctx context.Context, tx pgx.Tx, t Table) (Removed, error) {
	if t.Kind == Log {
		var after, next *[16]byte
		if r.after != nil {
			after = (*[16]byte)(&r.after[0])
		}
		var removed, keys int64
		err := tx.QueryRow(ctx, `SELECT removed, keys, next FROM fanfare.remove_moved_activities($1, $2::uuid, $3)`,
			[16]byte(r.scope.Tenant), after, removeBatch).Scan(&removed, &keys, &next)
		if next != nil {
			r.after = Key{*next}
		}
		return Removed{t.Name: removed, "idempotency_keys": keys}, err
	}
	if len(t.Key) == 0 { // few rows
		tag, err := tx.Exec(ctx, fmt.Sprintf(`DELETE FROM fanfare.%s AS x WHERE %s`, t.Name, r.scope.of("x")))
		return Removed{t.Name: tag.RowsAffected()}, err
	}
	var n int64
	var last [][16]byte
	err := tx.QueryRow(ctx, fmt.Sprintf(`
		WITH batch AS MATERIALIZED (
		    SELECT x.ctid AS row, ARRAY[%[2]s] AS key FROM fanfare.%[1]s AS x WHERE %[3]s AND %[4]s
		    ORDER BY %[2]s LIMIT %[5]d
		), deleted AS (
		    DELETE FROM fanfare.%[1]s WHERE ctid = ANY (ARRAY(SELECT b.row FROM batch AS b)) RETURNING 1
		)
		SELECT (SELECT count(*) FROM deleted), (SELECT max(b.key::text[])::uuid[] FROM batch AS b)`,
		t.Name, t.keyColumns(), r.scope.of("x"), t.in(Chunk{From: r.after}), removeBatch)).Scan(&n, &last)
	if len(last) > 0 {
		r.after = make(Key, len(last))
		for i, id := range last {
			r.after[i] = id
		}
	}
	return Removed{t.Name: n}, err
}
