package archive

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// null is how COPY's text format has it.
const null = `\N`

func appendID(line []byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return append(line, null...)
	}
	return append(line, id.String()...)
}

// copyLines fills a table in COPY's text format, which takes a tenth of the time that encoding each value by its type does. next
// appends a line, or nothing at the end.
func copyLines(ctx context.Context, pool *pgxpool.Pool, table, columns string, next func(line []byte) []byte) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Conn().PgConn().CopyFrom(ctx, &lines{next: next}, fmt.Sprintf("COPY fanfare.%s (%s) FROM STDIN", table, columns))
	if err != nil {
		return fmt.Errorf("load %s: %w", table, err)
	}
	return nil
}

// lines reads as all of them.
type lines struct {
	next        func(line []byte) []byte
	line, ahead []byte // ahead: what is left of line
}

// Read implements io.Reader.
func (l *lines) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(l.ahead) == 0 {
			l.line = l.next(l.line[:0])
			if l.ahead = l.line; len(l.ahead) == 0 {
				if n > 0 {
					break
				}
				return 0, io.EOF
			}
		}
		copied := copy(p[n:], l.ahead)
		n, l.ahead = n+copied, l.ahead[copied:]
	}
	return n, nil
}
