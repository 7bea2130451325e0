package outbox

import (
	"context"
	"math"
	"time"
)

// quiet decides after which probes a look, at the outbox's sequence and at which transactions have
// ended, replaces the next ones.
//
// A row appears when the transaction ends that recorded it. While none has ended since a probe,
// there is nothing new. While the sequence stands still, rows can only come from transactions that
// took their seq before; these have ids below the next id at any later time, since a recording
// takes its id before its seq.
type quiet struct {
	server   string
	lastSeq  int64
	bound    uint64   // transactions with a seq up to lastSeq have ids below it; 0: nothing is known
	snapshot snapshot // of the latest probe
	empty    bool     // no row waits, neither for a claimer nor for a time
	at       time.Time
}

// probeAnyway is how often a quiet outbox is probed all the same, by each worker in its turn: for
// the sweeps, the clock, and what a look does not show.
const probeAnyway = time.Second

// note updates what is known after a probe. all reports that it included every lane.
func (q *quiet) note(p probed, all bool, now time.Time) {
	if !p.sequence {
		*q = quiet{}
		return
	}
	if p.origin.server != q.server || p.origin.lastSeq != q.lastSeq || q.bound == 0 {
		*q = quiet{server: p.origin.server, lastSeq: p.origin.lastSeq, bound: p.nextXID}
	}
	q.snapshot, q.at = p.snapshot, now
	q.empty = all && len(p.lanes) == 0 && !p.waiting
}

// holds reports whether a look is enough now. While rows wait, what is due is found by a probe in
// each interval of busy.
func (q *quiet) holds(a assignment, busy time.Duration, now time.Time) bool {
	interval := busy
	if q.empty {
		interval = probeAnyway * time.Duration(max(a.count, 1))
	}
	return q.bound != 0 && now.Sub(q.at) < interval
}

// looked is the result of a look.
type looked struct {
	server   string
	lastSeq  int64
	snapshot snapshot
}

// same reports whether no row has appeared since the latest probe.
func (q *quiet) same(l looked) bool {
	if l.server != q.server || l.snapshot.xmax < q.snapshot.xmax {
		return false
	}
	bound := uint64(math.MaxUint64)
	if l.lastSeq == q.lastSeq {
		bound = q.bound
	}
	return !q.snapshot.endedUntil(l.snapshot, bound)
}

const look = `
SELECT coalesce(pg_sequence_last_value('fanfare.outbox_seq_seq'), 0),
       extract(epoch FROM pg_postmaster_start_time())::text, pg_current_snapshot()::text`

// lookAt reports whether no row has appeared since the latest probe. After an error, a probe
// follows, which reports it.
func (w *Worker) lookAt(ctx context.Context, q *quiet) (same bool) {
	err := w.within(ctx, w.limits.probe, func(ctx context.Context) (err error) {
		var l looked
		var text string
		if err := w.pool.QueryRow(ctx, look).Scan(&l.lastSeq, &l.server, &text); err != nil {
			return err
		}
		l.snapshot, err = parseSnapshot(text)
		same = err == nil && q.same(l)
		return err
	})
	return err == nil && same
}

// pace returns the pause between looks or probes when work was last found some time ago: shorter
// than poll while activities arrive now and then, and longer once none has for a while.
func pace(poll, ago time.Duration) time.Duration {
	switch {
	case ago < 100*time.Millisecond:
		return poll * 2 / 25
	case ago < 500*time.Millisecond:
		return poll * 4 / 25
	case ago < 2*time.Second:
		return poll * 2 / 5
	case ago < 10*time.Second:
		return poll
	default:
		return poll * 4
	}
}
