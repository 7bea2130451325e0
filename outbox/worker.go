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

// Report tells an Observer of one claim that took something, or of one step of a fan-out job.
type Report struct {
	Lane        int
	Claimed     int           // rows taken
	Delivered   []time.Time   // when each delivered activity had been recorded
	Retried     int           // activities parked because they failed
	Blocked     int           // activities parked behind another of their resource
	DeadLetters int           // new dead letters
	FanOutJobs  int           // activities that became fan-out jobs
	Step        bool          // it tells of a step of a job; Claimed is 1
	Notified    int           // watchers told by that step
	Took        time.Duration // from begin to commit or rollback
	Err         error         // why it was rolled back, or nil
}

// Observer is told of every claim, by many goroutines at once. It must not block.
type Observer interface {
	Observe(r Report)
}

// Worker claims lanes and has a Handler deliver what is in them. Any number of workers, in any
// number of processes, may work on one database.
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

// LastProgress is when the worker last completed a look at the outbox or a claim; zero before the
// first.
func (w *Worker) LastProgress() time.Time {
	if nanos := w.progress.Load(); nanos != 0 {
		return time.Unix(0, nanos)
	}
	return time.Time{}
}

// Run delivers until ctx ends, then finishes the batches in hand, for at most Options.Grace. It
// returns nil: a database or a Centrifugo that is away is waited for, and said in the log.
func (w *Worker) Run(ctx context.Context) error {
	work, finished := outlive(ctx, w.opts.Grace)
	defer finished()
	var g errgroup.Group
	g.Go(func() error { w.dispatch(ctx); return nil })
	for range w.opts.Claimers {
		g.Go(func() error { w.serve(ctx, work); return nil })
	}
	g.Go(func() error { w.workOnJobs(ctx, work); return nil })
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

// dispatch looks for lanes with work until ctx ends. It looks again at once while it finds some,
// then ever less often.
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
