package outbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// runLane runs one claim of a lane and updates the schedule with the result. behind reports that it
// is the turn of the lane's deferred tenants.
func (w *Worker) runLane(ctx context.Context, l *lane, behind bool) {
	began := time.Now()
	sweep := !began.Before(l.sweepAt)
	s := scope{limit: w.opts.Batch, full: sweep, longest: w.opts.Retries.Longest}
	if !behind {
		s.limit = max(l.size, shorter(s.limit))
	}
	if l.limit > 0 {
		s.limit = min(l.limit, s.limit)
	}
	if behind || sweep {
		s.backlog = w.schedule.backlogLimit(s.limit, began)
	}
	if l.failing() {
		l.memory.join() // a batch at fault is searched in the order of the lane
	} else {
		l.memory.deferTenants(w.schedule.surgingTenants(began))
	}
	report := Report{Lane: l.number}
	result, err := w.deliver(ctx, l, s, &report)
	now := time.Now()
	report.Took, report.Err = now.Sub(began), err
	if report.Claimed > 0 || err != nil {
		w.observe(report)
	}
	if err == nil {
		w.progressed(now)
		err = result.pending
	}
	if err != nil {
		if ctx.Err() == nil {
			partly := len(report.Delivered) > 0
			b := w.schedule.failed(l, err, report.Claimed, partly, w.opts.Retries, now)
			what := "a batch was rolled back"
			if partly {
				what = "a batch was delivered in part"
			}
			w.trouble.note(what, err, now, zap.Int("lane", l.number), zap.Int("activities", report.Claimed),
				zap.Int("delivered", len(report.Delivered)), zap.Int("failures", b.failures),
				zap.Duration("retry_in", b.wait))
		}
		return
	}
	if !result.held {
		w.schedule.postpone(l, now, w.opts.Poll)
		return
	}
	if sweep {
		l.sweepAt = now.Add(w.opts.Sweep)
	}
	if !behind && !sweep {
		result.took = report.Took
	}
	w.schedule.succeeded(l, result.result, w.opts.Batch, now)
}

// laneResult is the result of a claim that did not fail.
type laneResult struct {
	result
	held    bool  // false: another session holds the lane
	pending error // why some of the claimed activities stay pending; nil if none does
}

// deliver is one claim's transaction, from begin to commit. The memory changes only after the
// commit, and an error of the database clears it: another server may answer next.
func (w *Worker) deliver(ctx context.Context, l *lane, s scope, report *Report) (_ laneResult, err error) {
	defer recoverPanic(&err)
	keep := false // the memory
	defer func() {
		if !keep {
			l.memory.forget()
		}
	}()
	tx, err := w.begin(ctx)
	if err != nil {
		return laneResult{}, err
	}
	defer rollback(ctx, tx)
	var c claimed
	err = w.within(ctx, w.limits.statement, func(ctx context.Context) error {
		c, err = claim(ctx, tx, l.number, &l.memory, s)
		return err
	})
	switch {
	case err != nil:
		return laneResult{}, markUnavailable(err)
	case !c.held:
		keep = true
		return laneResult{}, nil
	case c.readOnly:
		return laneResult{}, errReadOnly
	case !l.memory.hold(c.origin):
		return laneResult{held: true, result: resultMore}, nil // claimed again, without the hints
	}
	report.Claimed = len(c.items)
	if !l.failing() {
		w.schedule.noteClaim(c, shorter(w.opts.Batch), len(l.memory.deferred) > 0, time.Now())
	}
	if len(c.items) == 0 {
		if err := w.pass(ctx, tx, l, c); err != nil {
			return laneResult{}, err
		}
		keep = true
		return laneResult{held: true, result: result{backlog: len(l.memory.deferred) > 0}}, nil
	}
	if err := w.rehearse(ctx, tx, l.number, c.items); err != nil {
		return laneResult{}, markUnavailable(err)
	}
	var outcomes []Outcome
	err = w.within(ctx, w.limits.handle, func(ctx context.Context) error {
		outcomes, err = w.outcomes(ctx, tx, l, c.items)
		return err
	})
	if err != nil {
		keep = errors.Is(err, ErrUnavailable) && !pg.IsServerError(err) && !tx.Conn().IsClosed()
		return laneResult{}, markUnavailable(err)
	}
	p := plan(l.number, c.items, outcomes, c.cut, w.opts.Retries, randomJitter)
	if p.pending != nil && p.empty() {
		keep = true
		return laneResult{}, markUnavailable(p.pending)
	}
	if err := w.settle(ctx, tx, l, c, p); err != nil {
		return laneResult{}, err
	}
	keep = true
	p.report(c.items[:len(outcomes)], outcomes, report)
	return laneResult{held: true, pending: p.pending, result: result{
		delivered: len(report.Delivered) > 0, settled: true, claimed: len(c.items),
		more: p.removed[others].cut, backlog: len(l.memory.deferred) > 0, left: c.left(),
	}}, nil
}

// left returns how many activities were recorded after those of deferred tenants that were claimed;
// 0 without any, or if it is not known.
func (c *claimed) left() int64 {
	last := c.items[len(c.items)-1]
	if last.parked || last.part != backlog {
		return 0
	}
	return max(c.origin.lastSeq-last.Seq, 0)
}

// pass updates the memory after a claim that found nothing.
func (w *Worker) pass(ctx context.Context, tx pgx.Tx, l *lane, c claimed) error {
	if l.memory.passed(c) {
		return w.settle(ctx, tx, l, c, settlement{lane: l.number})
	}
	l.memory.update(c, [parts]removal{}, 0)
	return nil
}

var resultMore = result{more: true}

// begin begins the transaction of a claim or a step.
func (w *Worker) begin(ctx context.Context) (tx pgx.Tx, err error) {
	err = w.within(ctx, w.limits.begin, func(ctx context.Context) error {
		tx, err = w.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginClaim})
		return err
	})
	if err != nil {
		return nil, markUnavailable(fmt.Errorf("begin: %w", w.explainConnecting(err)))
	}
	return tx, nil
}

// settle applies a settlement, commits, and updates the memory. If it fails, the next claims are
// rehearsed, so that they publish nothing that cannot be settled.
func (w *Worker) settle(ctx context.Context, tx pgx.Tx, l *lane, c claimed, p settlement) error {
	var self uint64
	err := w.within(ctx, w.limits.statement, func(ctx context.Context) (err error) {
		self, err = p.apply(ctx, tx)
		return err
	})
	if err == nil {
		err = w.within(ctx, w.limits.statement, func(ctx context.Context) error {
			if err := tx.Commit(ctx); err != nil {
				return fmt.Errorf("commit: %w", err) // it may have taken effect all the same
			}
			return nil
		})
	}
	if err != nil {
		w.unsettled.Store(time.Now().UnixNano())
		return markUnavailable(err)
	}
	l.memory.update(c, p.removed, self)
	return nil
}

// rehearseFor is for how long after a failed settlement the settlements are rehearsed.
const rehearseFor = time.Minute

// rehearse executes every statement of a settlement and undoes them, if a settlement has failed
// lately. Its error keeps the batch from being published: again and again, it would reach clients
// that have received it, once Centrifugo has forgotten the idempotency keys.
func (w *Worker) rehearse(ctx context.Context, tx pgx.Tx, lane int, items []Item) error {
	outcomes := make([]Outcome, len(items))
	for i := range outcomes {
		outcomes[i].Verdict = Retry
	}
	retries := Retries{MaxAttempts: math.MaxInt, First: time.Hour, Longest: time.Hour}
	s := plan(lane, items, outcomes, [parts]bool{}, retries, randomJitter)
	s.dead, s.jobs = s.park[:1], s.park[:1]
	return w.tryOut(ctx, tx, func(ctx context.Context, savepoint pgx.Tx) error {
		_, err := s.apply(ctx, savepoint)
		return err
	})
}

// tryOut settles in a savepoint, which it undoes, if a settlement has failed lately.
func (w *Worker) tryOut(ctx context.Context, tx pgx.Tx, settle func(ctx context.Context, tx pgx.Tx) error) error {
	failed := w.unsettled.Load()
	if failed == 0 || time.Now().UnixNano()-failed > int64(rehearseFor) {
		return nil
	}
	err := w.within(ctx, w.limits.statement, func(ctx context.Context) error {
		savepoint, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		if err := settle(ctx, savepoint); err != nil {
			return err
		}
		return savepoint.Rollback(ctx)
	})
	if err != nil {
		w.unsettled.Store(time.Now().UnixNano())
	}
	return err
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
