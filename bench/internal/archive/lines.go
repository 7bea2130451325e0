package archive

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/bench/internal/bulk"
)

// null is NULL in COPY's text format.
const null = `\N`

func appendID(line []byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return append(line, null...)
	}
	return append(line, id.String()...)
}

// copyLines fills a table with COPY in text format. next appends a line, or nothing at the end.
func copyLines(ctx context.Context, pool *pgxpool.Pool, table, columns string, next func(line []byte) []byte) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return bulk.Copy(ctx, conn.Conn(), fmt.Sprintf("COPY fanfare.%s (%s) FROM STDIN", table, columns), next)
}
