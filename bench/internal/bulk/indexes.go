package bulk

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Index is an index of a table, or a constraint with an index.
type Index struct {
	Name   string
	Drop   string // the statement
	Create string // the statement; for a partitioned table it includes the partitions
}

// Indexes lists the indexes of a table.
func Indexes(ctx context.Context, pool *pgxpool.Pool, table string) ([]Index, error) {
	rows, err := pool.Query(ctx, `
		SELECT r.relname,
		       CASE WHEN c.oid IS NULL THEN format('DROP INDEX %s', i.indexrelid::regclass)
		            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, c.conname) END,
		       CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
		            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s',
		                i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) END
		FROM pg_index AS i
		JOIN pg_class AS r ON r.oid = i.indexrelid
		LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
		WHERE i.indrelid = $1::regclass
		ORDER BY c.oid IS NULL, r.relname`, table)
	if err != nil {
		return nil, err
	}
	indexes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Index])
	for i := range indexes {
		indexes[i].Create = strings.Replace(indexes[i].Create, " ON ONLY ", " ON ", 1)
	}
	return indexes, err
}

// On returns the statement that creates the same index on another table, with a name that the
// server chooses. table is the index's table as the server formats it.
func (i Index) On(table, other string) string {
	s := strings.Replace(i.Create, " CONSTRAINT "+i.Name+" ", " ", 1)
	s = strings.Replace(s, " INDEX "+i.Name+" ON ", " INDEX ON ", 1)
	return strings.Replace(s, " "+table+" ", " "+other+" ", 1)
}

// WithoutIndexes drops the indexes of a table, fills it, and creates them again.
func WithoutIndexes(
	ctx context.Context,
	pool *pgxpool.Pool,
	table string,
	fill func(ctx context.Context, pool *pgxpool.Pool) error,
) error {
	indexes, err := Indexes(ctx, pool, table)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		if _, err := pool.Exec(ctx, i.Drop); err != nil {
			return fmt.Errorf("%s: %w", i.Drop, err)
		}
	}
	if err := fill(ctx, pool); err != nil {
		return err
	}
	for _, i := range indexes {
		if _, err := pool.Exec(ctx, i.Create); err != nil {
			return fmt.Errorf("%s: %w", i.Create, err)
		}
	}
	return nil
}
