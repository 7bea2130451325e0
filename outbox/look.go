package outbox

import (
	"context"
	"time"
)

// quiet decides after which probes a look at the outbox's sequence replaces the next ones.
//
// While the sequence stands still, rows can only come from transactions that took their seq before.
// Those have ids below the next id at any later time, since a recording takes its id before its
// seq. A probe that found nothing in a snapshot in which all of these transactions have ended has
// seen every row up to that seq.
type quiet struct {
	server  string
	lastSeq int64
	bound   uint64    // transactions with a seq up to lastSeq have ids below it; 0: not known yet
	empty   bool      // the outbox has no row with a seq up to lastSeq, and will have none
	at      time.Time // of the latest probe
}

// probeAnyway is how often a quiet outbox is probed all the same, by each worker in its turn: for
// the sweeps, the clock, and what a look does not show.
const probeAnyway = time.Second

// note updates what is known after a probe. all reports that it included every lane.
func (q *quiet) note(p probed, all bool, now time.Time) {
	switch {
	case !p.sequence || p.origin.server != q.server || p.origin.lastSeq != q.lastSeq:
		*q = quiet{server: p.origin.server, lastSeq: p.origin.lastSeq}
	case q.bound == 0:
		q.bound = p.nextXID
	}
	q.at = now
	q.empty = all && len(p.lanes) == 0 && !p.waiting && q.bound != 0 && p.snapshot.xmin >= q.bound
}

// holds reports whether a look is enough now.
func (q *quiet) holds(a assignment, now time.Time) bool {
	return q.empty && now.Sub(q.at) < probeAnyway*time.Duration(max(a.count, 1))
}

const look = `
SELECT coalesce(pg_sequence_last_value('fanfare.outbox_seq_seq'), 0),
       extract(epoch FROM pg_postmaster_start_time())::text`

// lookAt reports whether the sequence of the outbox is where it was. After an error, a probe
// follows, which reports it.
func (w *Worker) lookAt(ctx context.Context, q *quiet) (same bool) {
	err := w.within(ctx, w.limits.probe, func(ctx context.Context) error {
		var lastSeq int64
		var server string
		if err := w.pool.QueryRow(ctx, look).Scan(&lastSeq, &server); err != nil {
			return err
		}
		same = lastSeq == q.lastSeq && server == q.server
		return nil
	})
	return err == nil && same
}

// pace returns the pause between looks or probes when work was last found some time ago: shorter
// than poll while activities arrive now and then, and longer once none has for a while.
func pace(poll, ago time.Duration) time.Duration {
	switch {
	case ago < 2*time.Second:
		return poll * 2 / 5
	case ago < 10*time.Second:
		return poll
	default:
		return poll * 4
	}
}
