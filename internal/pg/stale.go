package pg

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// Stale reports whether err means that the result of a prepared statement has changed its type,
// because a relation of the statement has. The server's message is "cached plan must not change
// result type", in its own language; the routine that reports it has one name.
func Stale(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && server.Code == "0A000" && server.Routine == "RevalidateCachedQuery"
}

// Resetter closes its connections, each as soon as it is idle. *pgxpool.Pool implements it.
type Resetter interface{ Reset() }

// RetryStale runs f, and once more if a statement of it was stale. Before that it resets the pool:
// otherwise each of its connections would fail once for each statement. Whatever f does in the
// database before it fails must be undone or harmless to repeat.
func RetryStale[T any](pool Resetter, f func() (T, error)) (T, error) {
	result, err := f()
	if !Stale(err) {
		return result, err
	}
	pool.Reset()
	return f()
}
