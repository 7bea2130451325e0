package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// limits bound the waits of a worker on the client's side. A connection that a network has
// forgotten never answers, so the server's own timeouts are not enough; these are somewhat longer.
// Together they bring delivery back within a minute.
type limits struct {
	probe     time.Duration
	begin     time.Duration // to get a connection, too
	statement time.Duration // of a claim, a settlement or a commit
	handle    time.Duration // of a call of the Handler

	// How long a lane must have been held by others, at every claim, before the worker looks for
	// the holder, and how often it looks.
	miss, watch time.Duration
}

func defaultLimits() limits {
	return limits{
		probe: 10 * time.Second, begin: 10 * time.Second, statement: 20 * time.Second, handle: 35 * time.Second,
		miss: 5 * time.Second, watch: 5 * time.Second,
	}
}

// within calls fn with a context that ends after limit. If time runs out, it resets the pool: the
// connections of one network path die together, and each would cost another wait.
func (w *Worker) within(ctx context.Context, limit time.Duration, fn func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := fn(bounded)
	if err == nil || ctx.Err() != nil || bounded.Err() == nil {
		return err
	}
	w.pool.Reset()
	return fmt.Errorf("%w: no answer within %s: %w", ErrUnavailable, limit, err)
}

// errReadOnly is the error of a claim on a database that accepts no writes. Nothing is published:
// it could not be settled.
var errReadOnly = fmt.Errorf("%w: %w", ErrUnavailable, &pgconn.PgError{
	Severity: "ERROR", Code: "25006", Message: "the database is read-only, so nothing is published",
})

// explainConnecting adds to an error of connecting the number of connections that the worker needs,
// if the server has too few.
func (w *Worker) explainConnecting(err error) error {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && server.Code == "53300" {
		return fmt.Errorf("%w: this process opens up to %d connections", err, w.pool.Config().MaxConns)
	}
	return err
}

// markUnavailable marks an error as ErrUnavailable unless an activity may be at fault.
func markUnavailable(err error) error {
	if errors.Is(err, ErrUnavailable) || !pg.Unavailable(err) && pg.ReasonOf(err) == pg.Other {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
