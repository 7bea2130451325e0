package outbox

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// assignment divides the lanes and the probes among the workers of a database. It only saves
// statements: the lock of a lane decides who serves it, and a lane that its worker leaves is served
// by the others.
type assignment struct {
	place, count int           // this worker is number place of count; count 0 means that it is alone
	clock        time.Duration // what to add to the local clock for the clock of the server
}

// owns reports whether a lane is assigned to this worker.
func (a assignment) owns(lane int) bool { return a.count <= 1 || lane%a.count == a.place }

// untilProbe returns the pause until the next probe of an idle outbox. The workers take turns, one
// in each interval of poll, so together they probe as often as a single one.
func (a assignment) untilProbe(now time.Time, poll time.Duration) time.Duration {
	if a.count <= 1 {
		return poll
	}
	round := int64(poll) * int64(a.count)
	at := now.Add(a.clock).UnixNano() % round
	pause := int64(poll)*int64(a.place) - at
	if pause <= 0 {
		pause += round
	}
	return time.Duration(pause)
}

// How often a worker registers itself, and for how long it counts.
const (
	registerEvery = 5 * time.Second
	registeredFor = 15 * time.Second
)

// register adds the worker to the table of workers, removes old rows, and selects its place among
// the others. A row from the future was written before the clock was set back.
const register = `
WITH me AS (
    INSERT INTO fanfare.workers AS w (id, name, seen_at) VALUES ($1, $2, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
), gone AS (
    DELETE FROM fanfare.workers
    WHERE id <> $1 AND abs(extract(epoch FROM clock_timestamp() - seen_at)) > 20 * $3::float8
)
SELECT count(*) FILTER (WHERE id < $1), count(*) + 1, extract(epoch FROM clock_timestamp())
FROM fanfare.workers
WHERE id <> $1 AND abs(extract(epoch FROM clock_timestamp() - seen_at)) <= $3`

const unregister = `DELETE FROM fanfare.workers WHERE id = $1`

// stayRegistered registers the worker until ctx ends. Without the table, or the right to write to
// it, the worker works as if it were alone.
func (w *Worker) stayRegistered(ctx context.Context) {
	id := uuid.New()
	host, _ := os.Hostname()
	name := fmt.Sprintf("%s/%d", host, os.Getpid())
	for {
		began := time.Now()
		var a assignment
		var epoch float64
		err := w.within(ctx, w.limits.statement, func(ctx context.Context) error {
			return w.pool.QueryRow(ctx, register, [16]byte(id), name, registeredFor.Seconds()).
				Scan(&a.place, &a.count, &epoch)
		})
		if err != nil {
			a = assignment{}
		} else {
			took := time.Since(began)
			a.clock = time.UnixMicro(int64(epoch * 1e6)).Sub(began.Add(took / 2))
		}
		w.assignment.Store(&a)
		if wait.Sleep(ctx, registerEvery) != nil {
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unregisterTimeout)
	defer cancel()
	_, _ = w.pool.Exec(ctx, unregister, [16]byte(id)) // its row counts for a few seconds more if this fails
}

const unregisterTimeout = time.Second
