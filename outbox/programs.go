package outbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Program is the program of a worker that has registered lately.
type Program struct {
	Name          string `json:"name"`           // of the worker: host/process
	Version       string `json:"version"`        // "" if it is unknown
	SchemaVersion int    `json:"schema_version"` // its last migration; 0 if it is unknown
	SchemaNeeded  int    `json:"schema_needed"`  // the last migration without which it does not work
}

// Programs lists the programs of the workers that have registered within 15 seconds. A schema from
// before workers registered has none.
func Programs(ctx context.Context, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) ([]Program, error) {
	var registered bool
	err := db.QueryRow(ctx, `
		SELECT EXISTS (
		    SELECT FROM pg_attribute
		    WHERE attrelid = to_regclass('fanfare.workers') AND attname = 'schema_needed' AND NOT attisdropped
		)`).Scan(&registered)
	if err != nil || !registered {
		return nil, err
	}
	rows, err := db.Query(ctx, `
		SELECT name, version, schema_version, schema_needed
		FROM fanfare.workers
		WHERE abs(extract(epoch FROM clock_timestamp() - seen_at)) <= $1::float8
		ORDER BY name, id`, registeredFor.Seconds())
	if err != nil {
		return nil, fmt.Errorf("list the programs of the workers: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Program])
}
