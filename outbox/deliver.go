package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// runLane runs one claim of a lane and updates the schedule with the result.
func (w *Worker) runLane(ctx context.Context, l *lane) {
	began := time.Now()
	sweep := !began.Before(l.sweepAt)
	limit := w.opts.Batch
	if l.limit > 0 {
		limit = min(l.limit, limit)
	}
	report := Report{Lane: l.number}
	result, err := w.deliver(ctx, l, limit, sweep, &report)
	now := time.Now()
	report.Took, report.Err = now.Sub(began), err
	if w.opts.Observer != nil && (report.Claimed > 0 || err != nil) {
		w.opts.Observer.Observe(report)
	}
	if err != nil {
		if ctx.Err() == nil {
			b := w.schedule.failed(l, err, max(report.Claimed, 1), w.opts.Retries, now)
			w.logFailure(report, b)
		}
		return
	}
	w.progress.Store(now.UnixNano())
	if !result.held {
		w.schedule.postpone(l, now, w.opts.Poll)
		return
	}
	if sweep {
		l.sweepAt = now.Add(w.opts.Sweep)
	}
	if w.schedule.succeeded(l, report.Claimed > 0, result.more, w.opts.Batch, now) {
		w.log.Info("deliveries succeed again")
	}
}

// logFailure logs a rolled-back batch. It warns once per outage, not once per lane.
func (w *Worker) logFailure(r Report, b backoff) {
	level := zap.WarnLevel
	if b.knownOutage {
		level = zap.DebugLevel
	}
	w.log.Log(level, "a batch was rolled back", zap.Int("lane", r.Lane), zap.Int("activities", r.Claimed),
		zap.Int("failures", b.failures), zap.Duration("retry_in", b.wait), zap.Error(r.Err))
}

// laneResult is the result of a claim that did not fail.
type laneResult struct {
	held bool // false: another worker holds the lane
	more bool // rows are left
}

// deliver is one claim's transaction, from begin to commit. The hints change only after the commit.
func (w *Worker) deliver(ctx context.Context, l *lane, limit int, full bool, report *Report) (laneResult, error) {
	tx, err := w.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginClaim})
	if err != nil {
		l.hints.forget()
		return laneResult{}, markUnavailable(fmt.Errorf("begin: %w", err))
	}
	defer rollback(ctx, tx)
	c, err := claim(ctx, tx, l.number, &l.hints, limit, full)
	if err != nil {
		l.hints.forget()
		return laneResult{}, markUnavailable(err)
	}
	if !c.held {
		return laneResult{}, nil
	}
	cut := len(c.items) == limit
	report.Claimed = len(c.items)
	if len(c.items) == 0 {
		l.hints.empty(c.snapshot)
		return laneResult{held: true}, nil
	}
	outcomes, err := w.outcomes(ctx, tx, l, c.items)
	if err != nil {
		return laneResult{}, markUnavailable(err)
	}
	s := plan(l.number, c.items, outcomes, cut, w.opts.Retries, randomJitter)
	self, err := s.apply(ctx, tx)
	if err != nil {
		return laneResult{}, markUnavailable(err)
	}
	if err := tx.Commit(ctx); err != nil {
		l.hints.forget() // the commit may have taken effect all the same
		return laneResult{}, markUnavailable(fmt.Errorf("commit: %w", err))
	}
	switch {
	case len(s.outbox) > 0:
		l.hints.removed(c.snapshot, self, s.last, s.cut)
	case !s.cut:
		l.hints.empty(c.snapshot)
	}
	s.report(c.items[:len(outcomes)], outcomes, report)
	return laneResult{held: true, more: s.cut}, nil
}

// outcomes calls the handler for the items that can be delivered, and returns an outcome for each
// item of a prefix.
func (w *Worker) outcomes(ctx context.Context, tx pgx.Tx, l *lane, items []Item) ([]Outcome, error) {
	if l.culprit != nil && len(items) == 1 {
		return []Outcome{{Verdict: Retry, Err: l.culprit}}, nil
	}
	deliverable := make([]Item, 0, len(items))
	for _, item := range items {
		if !item.blocked && !item.missing {
			deliverable = append(deliverable, item)
		}
	}
	var handled []Outcome
	if len(deliverable) > 0 {
		var err error
		if handled, err = w.handle(ctx, tx, deliverable); err != nil {
			return nil, err
		}
		if len(handled) == 0 || len(handled) > len(deliverable) {
			return nil, fmt.Errorf("handler returned %d outcomes for %d activities", len(handled), len(deliverable))
		}
	}
	outcomes := make([]Outcome, 0, len(items))
	for _, item := range items {
		switch {
		case item.missing:
			outcomes = append(outcomes, Outcome{Verdict: DeadLettered, Err: errMissing})
		case item.blocked:
			outcomes = append(outcomes, Outcome{Verdict: Blocked})
		case len(handled) > 0:
			outcomes, handled = append(outcomes, handled[0]), handled[1:]
		default:
			return outcomes, nil
		}
	}
	return outcomes, nil
}

var errMissing = errors.New("the log no longer contains this activity")

// handle calls the handler and turns its panic into an error: an activity that makes it panic then
// ends as a dead letter and does not end the daemon. A Handler recovers panics of its own
// goroutines.
func (w *Worker) handle(ctx context.Context, tx pgx.Tx, items []Item) (outcomes []Outcome, err error) {
	defer recoverPanic(&err)
	return w.handler.Handle(ctx, tx, items)
}

// recoverPanic is deferred, and returns a panic of the handler as an error.
func recoverPanic(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
	}
}

// markUnavailable marks an error as ErrUnavailable unless an activity may be at fault.
func markUnavailable(err error) error {
	if errors.Is(err, ErrUnavailable) || !pg.Unavailable(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// report adds the counts of a committed settlement to r.
func (s settlement) report(items []Item, outcomes []Outcome, r *Report) {
	r.DeadLetters, r.FanOutJobs = len(s.dead), len(s.jobs)
	for i, o := range outcomes {
		switch o.Verdict {
		case Delivered:
			r.Delivered = append(r.Delivered, items[i].RecordedAt)
		case Blocked:
			r.Blocked++
		}
	}
	r.Retried = len(s.park) - r.Blocked
}
