package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// WorkerState is a worker that has registered lately.
type WorkerState struct {
	WorkerID              uuid.UUID `json:"worker_id"`
	Name                  string    `json:"name"`    // host/process
	Version               string    `json:"version"` // "" if it is unknown
	StartedAt             time.Time `json:"started_at"`
	SeenAt                time.Time `json:"seen_at"`
	Live                  bool      `json:"live"`  // registered within 15 seconds
	Lanes                 []int     `json:"lanes"` // those assigned to it, which others serve only while it does not
	SettledPerSecond      float64   `json:"settled_per_second"`
	PublicationsPerSecond float64   `json:"publications_per_second"`
}

// Workers lists the workers that have registered within some minutes, the live ones first.
func (b *Backlog) Workers(ctx context.Context) ([]WorkerState, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT w.id, w.name, w.version, w.started_at, w.seen_at, w.live,
		       CASE WHEN w.live THEN ARRAY(
		           SELECT l FROM generate_series(0, $2::int - 1) AS l WHERE l % w.count = w.place
		       ) ELSE '{}' END,
		       CASE WHEN w.live THEN w.settled_per_second ELSE 0 END,
		       CASE WHEN w.live THEN w.publications_per_second ELSE 0 END
		FROM (
		    SELECT w.*, count(*) OVER (PARTITION BY w.live) AS count,
		           row_number() OVER (PARTITION BY w.live ORDER BY w.id) - 1 AS place
		    FROM (
		        SELECT w.*, abs(extract(epoch FROM clock_timestamp() - w.seen_at)) <= $1::float8 AS live
		        FROM fanfare.workers AS w
		    ) AS w
		) AS w
		ORDER BY w.live DESC, w.id`, registeredFor.Seconds(), Lanes)
	if err != nil {
		return nil, fmt.Errorf("list the workers: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[WorkerState])
}

// LaneHolders returns the sessions that hold the locks of lanes now, by lane: usually workers that
// deliver a batch. The lanes of a Holder are not counted.
func (b *Backlog) LaneHolders(ctx context.Context) (map[int]Holder, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT l.objid::bigint::int, l.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''),
		       coalesce(host(a.client_addr), ''),
		       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8
		FROM pg_locks AS l
		LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted
		  AND l.classid = $1::bigint::oid AND l.objsubid = 2 AND l.objid < $2::bigint::oid
		  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
		int64(LaneLockClass), int64(Lanes))
	if err != nil {
		return nil, fmt.Errorf("find who holds the lanes: %w", err)
	}
	held := map[int]Holder{}
	var (
		lane    int
		h       Holder
		seconds float64
	)
	_, err = pgx.ForEachRow(rows, []any{&lane, &h.PID, &h.Role, &h.Application, &h.Address, &seconds}, func() error {
		h.For = time.Duration(seconds * float64(time.Second))
		held[lane] = h
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find who holds the lanes: %w", err)
	}
	return held, nil
}
