package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// Options of a Worker. The zero value works.
type Options struct {
	Claimers int           // lanes served at the same time; default 4. The pool needs one connection more than twice that.
	Batch    int           // activities claimed at once; default 500
	Poll     time.Duration // pause between looks at an idle outbox; default 25 ms. While there is work there is none.
	Sweep    time.Duration // how often each lane is scanned in full; default 1 minute
	Grace    time.Duration // how long batches in hand may take once Run's context has ended; default 10 s
	Retries  Retries
	Logger   *zap.Logger
	Observer Observer // may be nil
}

func (o Options) orDefault() Options {
	if o.Claimers <= 0 {
		o.Claimers = 4
	}
	if o.Batch <= 0 {
		o.Batch = 500
	}
	if o.Poll <= 0 {
		o.Poll = 25 * time.Millisecond
	}
	if o.Sweep <= 0 {
		o.Sweep = time.Minute
	}
	if o.Grace <= 0 {
		o.Grace = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	o.Retries = o.Retries.orDefault()
	return o
}

// Report tells an Observer of one claim that took something, or of one step of a broadcast job.
type Report struct {
	Lane      int
	Claimed   int           // rows taken
	Delivered []time.Time   // when each delivered activity had been recorded
	Retried   int           // activities parked because they failed
	Behind    int           // activities parked behind another of their resource
	Dead      int           // new dead letters
	Jobs      int           // activities that became broadcast jobs
	Step      bool          // it tells of a step of a job; Claimed is 1
	Told      int           // watchers told by that step
	Took      time.Duration // from begin to commit or rollback
	Err       error         // why it was rolled back, or nil
}

// Observer is told of every claim, by many goroutines at once. It must not block.
type Observer interface {
	Observe(r Report)
}

// Worker claims lanes and has a Handler deliver what is in them. Any number of workers, in any number of processes, may work on
// one database.
type Worker struct {
	pool     *pgxpool.Pool
	handler  Handler
	opts     Options
	log      *zap.Logger
	schedule *schedule
	progress atomic.Int64 // Unix nanoseconds of the last probe or claim that completed
}

// NewWorker makes a Worker; Run starts it.
func NewWorker(pool *pgxpool.Pool, handler Handler, opts Options) *Worker {
	opts = opts.orDefault()
	return &Worker{
		pool: pool, handler: handler, opts: opts, log: opts.Logger,
		schedule: newSchedule(time.Now(), opts.Sweep),
	}
}

// LastProgress is when the worker last completed a look at the outbox or a claim; zero before the first.
func (w *Worker) LastProgress() time.Time {
	if nanos := w.progress.Load(); nanos != 0 {
		return time.Unix(0, nanos)
	}
	return time.Time{}
}

// Run delivers until ctx ends, then finishes the batches in hand, for at most Options.Grace. It returns nil: a database or a
// Centrifugo that is away is waited for, and said in the log.
func (w *Worker) Run(ctx context.Context) error {
	work, finished := outlive(ctx, w.opts.Grace)
	defer finished()
	var g errgroup.Group
	g.Go(func() error { w.dispatch(ctx); return nil })
	for range w.opts.Claimers {
		g.Go(func() error { w.serve(ctx, work); return nil })
	}
	g.Go(func() error { w.broadcast(ctx, work); return nil })
	return g.Wait()
}

// outlive returns a context that ends grace after ctx does, or when finished is called.
func outlive(ctx context.Context, grace time.Duration) (work context.Context, finished func()) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer cancel()
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
		}
	}()
	return work, func() { close(done) }
}

// dispatch looks for lanes with work until ctx ends. It looks again at once while it finds some, then ever less often.
func (w *Worker) dispatch(ctx context.Context) {
	const soonest = 2 * time.Millisecond
	pause := w.opts.Poll
	failures := 0
	for sleep(ctx, pause) {
		idle := w.schedule.takeIdle(time.Now())
		if len(idle) == 0 {
			pause = soonest
			continue
		}
		hasWork, seen, err := probeLanes(ctx, w.pool, idle)
		if err != nil {
			w.schedule.giveBack(idle, nil, time.Time{})
			if ctx.Err() != nil {
				return
			}
			failures++
			pause = w.opts.Retries.wait(failures, randomJitter)
			w.log.Warn("the outbox cannot be read", zap.Error(err), zap.Duration("next_try_in", pause))
			continue
		}
		if failures > 0 {
			w.log.Info("the outbox can be read again", zap.Int("failures", failures))
			failures = 0
		}
		for _, l := range idle {
			if !hasWork[l.number] {
				l.hints.empty(seen)
			}
		}
		w.schedule.giveBack(idle, hasWork, time.Now())
		w.progress.Store(time.Now().UnixNano())
		if len(hasWork) > 0 {
			pause = soonest
		} else {
			pause = min(pause*2, w.opts.Poll)
		}
	}
}

// serve claims one ready lane after the other until ctx ends.
func (w *Worker) serve(ctx, work context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-w.schedule.ready:
			if ctx.Err() != nil {
				return
			}
			w.turn(work, l)
		}
	}
}

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
			w.logSetback(l.number, report.Claimed, w.schedule.failed(l, err, max(report.Claimed, 1), w.opts.Retries, now), err)
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

// deliver is one claim's transaction, from begin to commit. The hints change only once it has committed.
func (w *Worker) deliver(ctx context.Context, l *lane, limit int, full bool, report *Report) (turned, error) {
	tx, err := w.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginClaim})
	if err != nil {
		l.hints.forget()
		return turned{}, unlessAtFault(fmt.Errorf("begin: %w", err))
	}
	defer rollback(ctx, tx)
	c, err := claim(ctx, tx, l.number, &l.hints, limit, full)
	if err != nil {
		l.hints.forget()
		return turned{}, unlessAtFault(err)
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
		return turned{}, unlessAtFault(err)
	}
	s := plan(l.number, c.items, outcomes, cut, w.opts.Retries, randomJitter)
	self, err := s.apply(ctx, tx)
	if err != nil {
		return turned{}, unlessAtFault(err)
	}
	if err := tx.Commit(ctx); err != nil {
		l.hints.forget() // it may have committed all the same
		return turned{}, unlessAtFault(fmt.Errorf("commit: %w", err))
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

// outcomes has the handler deliver what may be delivered, and gives an outcome to each of the first so many items.
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
			outcomes = append(outcomes, Outcome{Verdict: Dead, Err: errMissing})
		case item.blocked:
			outcomes = append(outcomes, Outcome{Verdict: Behind})
		case len(handled) > 0:
			outcomes, handled = append(outcomes, handled[0]), handled[1:]
		default:
			return outcomes, nil
		}
	}
	return outcomes, nil
}

var errMissing = errors.New("the log does not hold this activity any more")

// handle turns a handler's panic into an error, so that an activity that makes it panic ends as a dead letter and not the daemon.
func (w *Worker) handle(ctx context.Context, tx pgx.Tx, items []Item) (outcomes []Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return w.handler.Handle(ctx, tx, items)
}

// unlessAtFault marks as ErrUnavailable what no activity can be blamed for: all but what the server says of a statement, and of
// that the classes 08 connection, 40 rollback, 53 resources, 55 locks, 57 intervention
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func unlessAtFault(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	pgErr := (*pgconn.PgError)(nil)
	if errors.As(err, &pgErr) {
		switch pgErr.Code[:2] {
		case "08", "40", "53", "55", "57":
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

func (s settlement) report(items []Item, outcomes []Outcome, r *Report) {
	r.Dead, r.Jobs = len(s.dead), len(s.jobs)
	for i, o := range outcomes {
		switch o.Verdict {
		case Delivered:
			r.Delivered = append(r.Delivered, items[i].RecordedAt)
		case Behind:
			r.Behind++
		}
	}
	r.Retried = len(s.park) - r.Behind
}

// sleep waits and reports whether ctx still stands.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
