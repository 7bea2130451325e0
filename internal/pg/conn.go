package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// WithConn calls do with a connection to the database of a URL, and closes it.
func WithConn(ctx context.Context, url string, do func(conn *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return do(conn)
}
