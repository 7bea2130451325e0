// Package pg holds what several packages need of PostgreSQL: the interfaces that a function asks
// of a pool, a connection or a transaction, and the classes of the server's errors.
package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Each interface is one method that *pgxpool.Pool, *pgx.Conn and pgx.Tx have. A function that needs
// several embeds them in an interface of its own.
type (
	// Querier runs a statement and returns its rows.
	Querier interface {
		Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	}

	// RowQuerier runs a statement of which the first row is used.
	RowQuerier interface {
		QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	}

	// Execer runs a statement without rows.
	Execer interface {
		Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	}

	// Batcher sends several statements in one round trip.
	Batcher interface {
		SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	}

	// Beginner begins a transaction; a pgx.Tx begins a savepoint.
	Beginner interface {
		Begin(ctx context.Context) (pgx.Tx, error)
	}
)
