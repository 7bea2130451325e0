package outbox

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// How often a worker registers itself, and for how long it counts.
const (
	registerEvery = 5 * time.Second
	registeredFor = 15 * time.Second
)

// The periods of samples, in which the work of all workers is counted.
const (
	samplePeriod = 10 * time.Second
	samplePlaces = int(24 * time.Hour / samplePeriod)
)

// register adds the worker to the table of workers, removes old rows, adds the worker's work to the
// sample of the present period, and selects its place among the others and whether the backlog of
// the period is not measured yet. A row from the future was written before the clock was set back.
const register = `
WITH me AS (
    INSERT INTO fanfare.workers AS w (
        id, name, version, seen_at, settled_per_second, publications_per_second, schema_version, schema_needed)
    VALUES ($1, $2, $4, clock_timestamp(), $5, $6, $12, $13)
    ON CONFLICT (id) DO UPDATE
    SET seen_at = excluded.seen_at, settled_per_second = excluded.settled_per_second,
        publications_per_second = excluded.publications_per_second
), gone AS (
    DELETE FROM fanfare.workers
    WHERE id <> $1 AND abs(extract(epoch FROM clock_timestamp() - seen_at)) > 20 * $3::float8
), period AS MATERIALIZED (
    SELECT floor(extract(epoch FROM clock_timestamp()) / $7)::bigint AS n
), sampled AS (
    INSERT INTO fanfare.samples AS s (place, began_at, settled, publications, latency)
    SELECT n % $8::bigint, to_timestamp(n * $7::float8), $9, $10, $11 FROM period
    ON CONFLICT (place) DO UPDATE
    SET began_at = excluded.began_at,
        settled = excluded.settled + CASE WHEN s.began_at = excluded.began_at THEN s.settled ELSE 0 END,
        publications = excluded.publications
            + CASE WHEN s.began_at = excluded.began_at THEN s.publications ELSE 0 END,
        latency = CASE
            WHEN s.began_at <> excluded.began_at OR s.latency = '{}' THEN excluded.latency
            WHEN excluded.latency = '{}' THEN s.latency
            ELSE ARRAY(
                SELECT coalesce(u.a, 0) + coalesce(u.b, 0)
                FROM unnest(s.latency, excluded.latency) WITH ORDINALITY AS u(a, b, n)
                ORDER BY u.n)
            END,
        pending = CASE WHEN s.began_at = excluded.began_at THEN s.pending END,
        oldest_age = CASE WHEN s.began_at = excluded.began_at THEN s.oldest_age END,
        parked = CASE WHEN s.began_at = excluded.began_at THEN s.parked END,
        dead_letters = CASE WHEN s.began_at = excluded.began_at THEN s.dead_letters END
    RETURNING s.place, s.began_at, s.pending IS NULL AS unmeasured
)
SELECT w.place, w.count, extract(epoch FROM clock_timestamp()), s.place, s.began_at, s.unmeasured
FROM (
    SELECT count(*) FILTER (WHERE id < $1) AS place, count(*) + 1 AS count
    FROM fanfare.workers
    WHERE id <> $1 AND abs(extract(epoch FROM clock_timestamp() - seen_at)) <= $3
) AS w, sampled AS s`

const unregister = `DELETE FROM fanfare.workers WHERE id = $1`

// period identifies a sample whose backlog is to be measured.
type period struct {
	place      int
	beganAt    time.Time
	unmeasured bool
}

// stayRegistered registers the worker until ctx ends. Without the tables, or the right to write to
// them, the worker works as if it were alone.
func (w *Worker) stayRegistered(ctx context.Context) {
	id := uuid.New()
	host, _ := os.Hostname()
	name := fmt.Sprintf("%s/%d", host, os.Getpid())
	for {
		a, p, err := w.register(ctx, id, name)
		w.assignment.Store(&a)
		if err == nil && p.unmeasured && a.place == 0 {
			if err := w.measureBacklog(ctx, p); err != nil && ctx.Err() == nil {
				w.log.Debug("a sample lacks the backlog, which could not be measured", zap.Error(err))
			}
		}
		if wait.Sleep(ctx, a.untilRegistration(time.Now())) != nil {
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unregisterTimeout)
	defer cancel()
	_, _ = w.pool.Exec(ctx, unregister, [16]byte(id)) // its row counts for a few seconds more if this fails
}

const unregisterTimeout = time.Second

// register registers the worker, with its work since the last registration.
func (w *Worker) register(ctx context.Context, id uuid.UUID, name string) (a assignment, p period, err error) {
	began := time.Now()
	done, settled, publications := w.done.take(began)
	var epoch float64
	err = w.within(ctx, w.limits.statement, func(ctx context.Context) error {
		return w.pool.QueryRow(ctx, register,
			[16]byte(id), name, registeredFor.Seconds(), w.opts.Version, settled, publications,
			samplePeriod.Seconds(), samplePlaces, done.settled, done.publications, []int64(done.latency),
			w.opts.SchemaVersion, w.opts.SchemaNeeded).
			Scan(&a.place, &a.count, &epoch, &p.place, &p.beganAt, &p.unmeasured)
	})
	if err != nil {
		return assignment{}, period{}, err
	}
	w.done.remove(done, began)
	a.clock = time.UnixMicro(int64(epoch * 1e6)).Sub(began.Add(time.Since(began) / 2))
	return a, p, nil
}

// The time that measuring the backlog may take, on the server and until its answer arrives.
const (
	measureTimeout = "2s"
	measuredWithin = 4 * time.Second
)

// measureBacklog adds the size and the age of the backlog to a sample.
func (w *Worker) measureBacklog(ctx context.Context, p period) error {
	ctx, cancel := context.WithTimeout(ctx, measuredWithin)
	defer cancel()
	batch := &pgx.Batch{}
	batch.Queue(`SELECT set_config('statement_timeout', $1, true)`, measureTimeout)
	batch.Queue(`
		UPDATE fanfare.samples AS s
		SET pending = q.pending, parked = q.parked, dead_letters = q.dead_letters,
		    oldest_age = coalesce(greatest(extract(epoch FROM clock_timestamp() - q.oldest_at), 0), 0)
		FROM (`+countStatus+`) AS q
		WHERE s.place = $2 AND s.began_at = $3`, zeronull.UUID(uuid.Nil), p.place, p.beganAt)
	return w.pool.SendBatch(ctx, batch).Close()
}
