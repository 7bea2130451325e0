// Package cellmoves reads which tenants have moved from the database of a cell to that of another
// one.
package cellmoves

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/cells"
)

// Querier is a connection, a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Read returns the tenants that have left the database. A database without the table has none: it
// has no schema yet, or one of an older version.
func Read(ctx context.Context, db Querier) (cells.Moves, error) { return read(ctx, db, uuid.Nil) }

// Of returns the name of the cell that a tenant has moved to, or "" if it has not left the
// database.
func Of(ctx context.Context, db Querier, tenant uuid.UUID) (string, error) {
	moves, err := read(ctx, db, tenant)
	return moves[tenant], err
}

// read returns the moves of one tenant, or of all for uuid.Nil. A tenant that returns is still in
// the cell that it had moved to, until it is open here.
func read(ctx context.Context, db Querier, tenant uuid.UUID) (cells.Moves, error) {
	const query = `
		SELECT m.tenant_id, CASE m.role WHEN 'source' THEN m.peer ELSE m.former ->> 'peer' END
		FROM fanfare.tenant_moves AS m
		WHERE ($1::uuid IS NULL OR m.tenant_id = $1)
		    AND CASE m.role
		        WHEN 'source' THEN m.step IN ('moved', 'cleared')
		        ELSE m.step <> 'opened' AND m.former ->> 'role' = 'source'
		            AND m.former ->> 'step' IN ('moved', 'cleared')
		    END`
	var only *uuid.UUID
	if tenant != uuid.Nil {
		only = &tenant
	}
	moves := cells.Moves{}
	rows, _ := db.Query(ctx, query, only)
	var id uuid.UUID
	var peer string
	_, err := pgx.ForEachRow(rows, []any{&id, &peer}, func() error { moves[id] = peer; return nil })
	if absent(err) {
		return cells.Moves{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the moves of tenants: %w", err)
	}
	return moves, nil
}

// absent reports whether the table, or the schema, does not exist
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func absent(err error) bool {
	failed, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (failed.Code == "42P01" || failed.Code == "3F000") // undefined_table, invalid_schema_name
}
