// Package frontier finds which activities may still appear in the log. An activity appears when its
// transaction commits, which may be long after it was recorded and after later activities appeared.
//
// It relies on one order: recording an activity takes the id of its transaction and the time of the
// activity at the same moment, up to slack. A transaction that had no id when the database was
// observed has therefore recorded nothing before.
package frontier

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

const (
	// slack is the time by which an activity may be older than its transaction's id.
	slack = time.Second
	// unknownAge is the age that a transaction is given if the first observation may not see when
	// it began.
	unknownAge = time.Hour
)

// Frontier follows the transactions of a database. Its zero value has observed nothing. It is not
// safe for concurrent use.
type Frontier struct {
	at time.Time // of the last observation, by the clock of the database
	// bounds has, for each transaction that was open, the time before which it recorded nothing;
	// nil before the first observation.
	bounds map[int64]time.Time
}

// Observation is what an observation found.
type Observation struct {
	// Since is the time before which no activity was recorded that has appeared since the last
	// observation. It is zero in the first observation.
	Since time.Time
	// Until is the time before which no activity was recorded that may still appear.
	Until time.Time
}

// Observe observes the transactions that are open now.
func (f *Frontier) Observe(ctx context.Context, db pg.Batcher) (Observation, error) {
	var (
		at   time.Time
		open []int64
	)
	batch := &pgx.Batch{}
	// The transactions of savepoints are not among these; those around them are. The time is that
	// of the statement's arrival, before its snapshot.
	batch.Queue(`
		SELECT statement_timestamp(), ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(pg_current_snapshot()) AS x)`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&at, &open) })
	began := map[uint32]time.Time{}
	if f.bounds == nil {
		batch.Queue(`
			SELECT backend_xid::text::bigint, xact_start
			FROM pg_stat_activity
			WHERE backend_xid IS NOT NULL AND xact_start IS NOT NULL`).Query(func(rows pgx.Rows) error {
			var id int64
			var start time.Time
			_, err := pgx.ForEachRow(rows, []any{&id, &start}, func() error { began[uint32(id)] = start; return nil })
			return err
		})
	}
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return Observation{}, fmt.Errorf("observe open transactions: %w", err)
	}
	return f.advance(at, open, began), nil
}

// advance takes over an observation. began contains when transactions began, by the lower half of
// their ids, and is used in the first observation only: later ones have seen that a transaction had
// not begun.
func (f *Frontier) advance(at time.Time, open []int64, began map[uint32]time.Time) Observation {
	o := Observation{Until: at.Add(-slack)}
	bounds := make(map[int64]time.Time, len(open))
	for _, id := range open {
		bound, known := f.bounds[id]
		switch start, seen := began[uint32(id)]; {
		case known:
		case f.bounds != nil:
			bound = f.at.Add(-slack)
		case seen:
			bound = start.Add(-slack)
		default:
			bound = at.Add(-unknownAge)
		}
		bounds[id] = bound
		o.Until = earlier(o.Until, bound)
	}
	if f.bounds != nil {
		o.Since = f.at.Add(-slack)
		for id, bound := range f.bounds {
			if _, still := bounds[id]; !still {
				o.Since = earlier(o.Since, bound)
			}
		}
	}
	f.at, f.bounds = at, bounds
	return o
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
