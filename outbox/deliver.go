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

// turn gives a lane one claim and notes what came of it.
func (w *Worker) turn(ctx context.Context, l *lane) {
	began := time.Now()
	sweep := !began.Before(l.sweepAt)
	limit := w.opts.Batch
	if l.limit > 0 {
		limit = min(l.limit, limit)
	}
	report := Report{Lane: l.number}
	done, err := w.deliver(ctx, l, limit, sweep, &report)
	now := time.Now()
	report.Took, report.Err = now.Sub(began), err
	if w.opts.Observer != nil && (report.Claimed > 0 || err != nil) {
		w.opts.Observer.Observe(report)
	}
	if err != nil {
		if ctx.Err() == nil {
			w.logSetback(
				l.number,
				report.Claimed,
				w.schedule.failed(l, err, max(report.Claimed, 1), w.opts.Retries, now),
				err,
			)
		}
		return
	}
	w.progress.Store(now.UnixNano())
	if !done.held {
		w.schedule.leave(l, now, w.opts.Poll)
		return
	}
	if sweep {
		l.sweepAt = now.Add(w.opts.Sweep)
	}
	if w.schedule.succeeded(l, report.Claimed > 0, done.more, w.opts.Batch, now) {
		w.log.Info("batches get through again")
	}
}

// logSetback says once that nothing gets through, not once for each lane.
func (w *Worker) logSetback(lane, activities int, b setback, err error) {
	level := zap.WarnLevel
	if b.known {
		level = zap.DebugLevel
	}
	w.log.Log(level, "a batch was rolled back", zap.Int("lane", lane), zap.Int("activities", activities),
		zap.Int("failures", b.failures), zap.Duration("next_try_in", b.wait), zap.Error(err))
}

// turned is what a turn that did not fail tells about its lane.
type turned struct {
	held bool // false: another worker has the lane
	more bool // rows were left
}

// deliver is one claim's transaction, from begin to commit. The hints change only once it has
// committed.
func (w *Worker) deliver(ctx context.Context, l *lane, limit int, full bool, report *Report) (turned, error) {
	tx, err := w.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginClaim})
	if err != nil {
		l.hints.forget()
		return turned{}, markUnavailable(fmt.Errorf("begin: %w", err))
	}
	defer rollback(ctx, tx)
	c, err := claim(ctx, tx, l.number, &l.hints, limit, full)
	if err != nil {
		l.hints.forget()
		return turned{}, markUnavailable(err)
	}
	if !c.held {
		return turned{}, nil
	}
	cut := len(c.items) == limit
	report.Claimed = len(c.items)
	if len(c.items) == 0 {
		l.hints.empty(c.snapshot)
		return turned{held: true}, nil
	}
	outcomes, err := w.outcomes(ctx, tx, l, c.items)
	if err != nil {
		return turned{}, markUnavailable(err)
	}
	s := plan(l.number, c.items, outcomes, cut, w.opts.Retries, randomJitter)
	self, err := s.apply(ctx, tx)
	if err != nil {
		return turned{}, markUnavailable(err)
	}
	if err := tx.Commit(ctx); err != nil {
		l.hints.forget() // it may have committed all the same
		return turned{}, markUnavailable(fmt.Errorf("commit: %w", err))
	}
	switch {
	case len(s.outbox) > 0:
		l.hints.removed(c.snapshot, self, s.last, s.cut)
	case !s.cut:
		l.hints.empty(c.snapshot)
	}
	s.report(c.items[:len(outcomes)], outcomes, report)
	return turned{held: true, more: s.cut}, nil
}

// outcomes has the handler deliver what may be delivered, and gives an outcome to each of the first
// so many items.
func (w *Worker) outcomes(ctx context.Context, tx pgx.Tx, l *lane, items []Item) ([]Outcome, error) {
	if l.blamed != nil && len(items) == 1 {
		return []Outcome{{Verdict: Retry, Err: l.blamed}}, nil
	}
	free := make([]Item, 0, len(items))
	for _, item := range items {
		if !item.blocked && !item.missing {
			free = append(free, item)
		}
	}
	var handled []Outcome
	if len(free) > 0 {
		var err error
		if handled, err = w.handle(ctx, tx, free); err != nil {
			return nil, err
		}
		if len(handled) == 0 || len(handled) > len(free) {
			return nil, fmt.Errorf("handler answered %d outcomes for %d activities", len(handled), len(free))
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

var errMissing = errors.New("the log does not hold this activity any more")

// handle turns a handler's panic into an error, so that an activity that makes it panic ends as a
// dead letter and not the daemon.
func (w *Worker) handle(ctx context.Context, tx pgx.Tx, items []Item) (outcomes []Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return w.handler.Handle(ctx, tx, items)
}

// markUnavailable marks an error as ErrUnavailable unless an activity may be at fault.
func markUnavailable(err error) error {
	if errors.Is(err, ErrUnavailable) || !pg.Unavailable(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

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
