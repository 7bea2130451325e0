package outbox

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// Options of a Worker. The zero value works.
type Options struct {
	Claimers int           // lanes served at the same time; default 4. The pool needs 2·Claimers + 1 connections.
	Batch    int           // the maximum number of activities in one claim; default 500
	Poll     time.Duration // pause between probes of an idle outbox; default 25 ms
	Sweep    time.Duration // how often each lane is scanned in full; default 1 minute
	Grace    time.Duration // how long batches in progress may take once Run's context has ended; default 10 s
	Retries  Retries
	Logger   *zap.Logger
	Observer Observer // nil disables it
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

// Report describes one claim that took activities or failed, or one step of a fan-out job.
type Report struct {
	Lane        int
	Claimed     int           // claimed activities; 1 for a step
	Delivered   []time.Time   // when each delivered activity was recorded
	Retried     int           // activities parked because they failed
	Blocked     int           // activities parked behind another of their resource
	DeadLetters int           // new dead letters
	FanOutJobs  int           // activities that became fan-out jobs
	Step        bool          // it describes a step of a fan-out job
	Notified    int           // recipients that the step notified
	Took        time.Duration // from begin to commit or rollback
	Err         error         // why it was rolled back, or nil
}

// Observer receives the Reports of a Worker, from several goroutines at once. It must not block.
type Observer interface {
	Observe(r Report)
}

// Worker claims lanes and delivers their activities through a Handler. Any number of workers, in
// any number of processes, may serve one database.
type Worker struct {
	pool     *pgxpool.Pool
	handler  Handler
	opts     Options
	log      *zap.Logger
	schedule *schedule
	progress atomic.Int64 // Unix nanoseconds of the last probe or claim that completed
}

// NewWorker returns a Worker; Run starts it.
func NewWorker(pool *pgxpool.Pool, handler Handler, opts Options) *Worker {
	opts = opts.orDefault()
	return &Worker{
		pool: pool, handler: handler, opts: opts, log: opts.Logger,
		schedule: newSchedule(time.Now(), opts.Sweep),
	}
}

// LastProgress returns when the worker last completed a probe of the outbox or a claim; the zero
// time before the first. It is safe for concurrent use.
func (w *Worker) LastProgress() time.Time {
	if nanos := w.progress.Load(); nanos != 0 {
		return time.Unix(0, nanos)
	}
	return time.Time{}
}

// Run delivers until ctx ends, then finishes the batches in progress for at most Options.Grace. It
// returns nil: while the database or the handler is unavailable it logs that and waits.
func (w *Worker) Run(ctx context.Context) error {
	work, finished := outlive(ctx, w.opts.Grace)
	defer finished()
	var g errgroup.Group
	g.Go(func() error { w.dispatch(ctx); return nil })
	for range w.opts.Claimers {
		g.Go(func() error { w.serve(ctx, work); return nil })
	}
	g.Go(func() error { w.runJobs(ctx, work); return nil })
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

// dispatch probes for lanes with work until ctx ends: again at once while it finds some, then less
// and less often.
func (w *Worker) dispatch(ctx context.Context) {
	const soonest = 2 * time.Millisecond
	pause := w.opts.Poll
	failures := 0
	for wait.Sleep(ctx, pause) == nil {
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
			w.log.Warn("the outbox is unavailable", zap.Error(err), zap.Duration("retry_in", pause))
			continue
		}
		if failures > 0 {
			w.log.Info("the outbox is available again", zap.Int("failures", failures))
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

// serve runs the ready lanes one after the other until ctx ends.
func (w *Worker) serve(ctx, work context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-w.schedule.ready:
			if ctx.Err() != nil {
				return
			}
			w.runLane(work, l)
		}
	}
}
