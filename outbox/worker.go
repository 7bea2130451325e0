package outbox

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/guard"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// Options of a Worker. The zero value works.
type Options struct {
	Claimers int           // lanes served at the same time; default 4. The pool needs 2·Claimers + 2 connections.
	Batch    int           // the maximum number of activities in one claim; default 1,000
	Poll     time.Duration // pause between probes of an idle outbox, see pace; default 25 ms
	Sweep    time.Duration // how often each lane is scanned in full; default 1 minute
	Grace    time.Duration // how long batches in progress may take once Run's context has ended; default 10 s
	Retries  Retries
	Logger   *zap.Logger
	Observer Observer // nil disables it

	// For operators: the version of the program, and the number of publications so far, which
	// nil does not count. See Backlog.Workers and Backlog.History.
	Version      string
	Publications func() int64

	// For fanfare migrate: the last migration of the program, and the last one without which it
	// does not work. See Programs.
	SchemaVersion, SchemaNeeded int
}

func (o Options) orDefault() Options {
	if o.Claimers <= 0 {
		o.Claimers = 4
	}
	if o.Batch <= 0 {
		o.Batch = 1000
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
	trouble  trouble
	limits   limits
	observer guard.Guard
	done     workDone

	progress    atomic.Pointer[time.Time] // when a probe or claim last completed
	probeError  atomic.Pointer[Problem]   // of the latest probe; nil if it succeeded
	jobError    atomic.Pointer[Problem]   // of the latest step of a fan-out job; nil unless it was rolled back
	heldAbroad  atomic.Pointer[Problem]   // lanes that a foreign session holds; nil without any
	unsettled   atomic.Int64              // Unix nanoseconds of the latest failed settlement
	assignment  atomic.Pointer[assignment]
	jobsDue     chan struct{} // a probe has seen a fan-out job that is due
	jobFailures map[uuid.UUID]time.Time
}

// NewWorker returns a Worker; Run starts it.
func NewWorker(pool *pgxpool.Pool, handler Handler, opts Options) *Worker {
	opts = opts.orDefault()
	w := &Worker{
		pool: pool, handler: handler, opts: opts, log: opts.Logger,
		schedule: newSchedule(time.Now(), opts.Sweep, opts.Claimers),
		trouble:  trouble{log: opts.Logger}, limits: defaultLimits(),
		observer: guard.Guard{Log: opts.Logger, Name: "observer of the outbox"},
		done:     workDone{published: opts.Publications},
		jobsDue:  make(chan struct{}, 1), jobFailures: map[uuid.UUID]time.Time{},
	}
	w.assignment.Store(&assignment{})
	return w
}

// observe reports to the observer, whose panic ends neither the batch nor the daemon.
func (w *Worker) observe(r Report) {
	w.done.add(r, time.Now())
	if w.opts.Observer != nil {
		w.observer.Call(func() { w.opts.Observer.Observe(r) })
	}
}

// LastProgress returns when the worker last completed a probe of the outbox or a claim; the zero
// time before the first. It is safe for concurrent use.
func (w *Worker) LastProgress() time.Time {
	if last := w.progress.Load(); last != nil {
		return *last // with the monotonic clock: the wall clock may be set
	}
	return time.Time{}
}

func (w *Worker) progressed(now time.Time) { w.progress.Store(&now) }

// Problem is what keeps a worker from delivering.
type Problem struct {
	Since time.Time
	Err   error
}

// problemAfter is how long deliveries must have failed before that is a problem.
const problemAfter = 2 * time.Second

// Problem returns what keeps the worker from delivering: its probes fail, every batch or every step
// of a fan-out job is rolled back, or a foreign session holds lanes. The error is nil while it
// delivers, or has nothing to deliver. It is safe for concurrent use.
func (w *Worker) Problem() Problem {
	if p := w.probeError.Load(); p != nil && time.Since(p.Since) >= problemAfter {
		return *p
	}
	if since, err := w.schedule.problem(); err != nil && time.Since(since) >= problemAfter {
		return Problem{since, err}
	}
	if p := w.jobError.Load(); p != nil && time.Since(p.Since) >= problemAfter {
		return *p
	}
	if p := w.heldAbroad.Load(); p != nil {
		return *p
	}
	return Problem{}
}

// Run delivers until ctx ends, then finishes the batches in progress for at most Options.Grace. It
// returns nil: while the database or the handler is unavailable it logs that and waits.
func (w *Worker) Run(ctx context.Context) error {
	work, finished := outlive(ctx, w.opts.Grace)
	defer finished()
	defer context.AfterFunc(ctx, w.schedule.wake)()
	var g errgroup.Group
	g.Go(func() error { w.dispatch(ctx); return nil })
	g.Go(func() error { w.stayRegistered(ctx); return nil })
	g.Go(func() error { w.watchHolders(ctx); return nil })
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
// and less often, and in turns with the other workers.
func (w *Worker) dispatch(ctx context.Context) {
	const soonest = 2 * time.Millisecond
	pause := w.opts.Poll
	failures, width := 0, Lanes
	var clock clock
	var still quiet
	var worked time.Time // when a probe last found work
	turn := true         // it is this worker's turn to probe
	for wait.Sleep(ctx, pause) == nil {
		now := time.Now()
		w.trouble.ended(w.schedule.lastDelivered(), now)
		a := *w.assignment.Load()
		if still.holds(a, w.opts.Poll*2/5, now) && !w.schedule.probeDue(now) && w.lookAt(ctx, &still) {
			now = time.Now()
			w.progressed(now)
			pause, turn = a.untilProbe(now, pace(w.opts.Poll, now.Sub(worked))), true
			continue
		}
		targets := w.schedule.takeIdle(a, width, now)
		if len(targets) == 0 {
			pause = soonest
			continue
		}
		found, err := w.probe(ctx, targets)
		now = time.Now()
		if err != nil {
			still = quiet{}
			w.schedule.giveBack(targets, nil, a, 0, time.Time{})
			if ctx.Err() != nil {
				return
			}
			failures++
			pause = w.opts.Retries.wait(failures, randomJitter)
			if narrower := probeWidth(width, err); narrower < width {
				width, pause = narrower, soonest // it has waited long enough
			}
			w.trouble.note("the outbox is unavailable", err, now, zap.Duration("retry_in", pause))
			if w.probeError.Load() == nil {
				w.probeError.Store(&Problem{now, err})
			}
			continue
		}
		if failures > 0 {
			w.log.Info("the outbox is available again", zap.Int("failures", failures))
			failures = 0
			w.probeError.Store(nil)
		}
		width = probeWidth(width, nil)
		if back := clock.setBack(found.clock, now); back > 0 {
			w.log.Warn("the clock of PostgreSQL was set back; activities that wait for a retry are due at once",
				zap.Duration("by", back))
		}
		foreign := 0
		if turn {
			foreign = w.opts.Claimers // the worker whose turn it was has found the work
		}
		still.note(found, w.schedule.giveBack(targets, found.lanes, a, foreign, now), now)
		w.progressed(now)
		if found.jobs {
			select {
			case w.jobsDue <- struct{}{}:
			default:
			}
		}
		if turn = len(found.lanes) == 0; turn {
			pause = a.untilProbe(now, pace(w.opts.Poll, now.Sub(worked)))
		} else {
			pause, worked = soonest, now
		}
	}
}

// probeWidth returns how many lanes to probe after a probe of width lanes that ended with err:
// fewer after a timeout of the server, since it may have passed too many rows.
func probeWidth(width int, err error) int {
	switch {
	case err == nil:
		return min(2*width, Lanes)
	case pg.Contended(err):
		return max(width/2, 1)
	}
	return width
}

// probe probes lanes and updates the hints of those without work. It clears the hints that do not
// hold on the server that answered, and of all lanes after an error, unless that is a timeout of
// the server: another one may answer next.
func (w *Worker) probe(ctx context.Context, targets []target) (found probed, err error) {
	defer func() {
		for _, t := range targets {
			if err != nil && !t.queued && !pg.Contended(err) {
				t.lane.memory.forget()
			}
		}
	}()
	defer recoverPanic(&err)
	err = w.within(ctx, w.limits.probe, func(ctx context.Context) error {
		found, err = probeLanes(ctx, w.pool, targets, w.opts.Retries.Longest)
		return err
	})
	if err != nil {
		return probed{}, w.explainConnecting(err)
	}
	for _, t := range targets {
		if t.queued {
			continue
		}
		switch m := &t.lane.memory; {
		case !m.hold(found.origin):
			m.forget()
			found.lanes[t.number] = workIn{others: true}
		case found.lanes[t.number] == workIn{}:
			m.update(found.asClaim(m.hints[others].pos, passAfter), [parts]removal{}, found.nextXID)
		}
	}
	return found, nil
}

// clock compares the clock of the server with the local monotonic clock.
type clock struct{ server, local time.Time }

// setBack returns by how much the server's clock was set back since the last call; 0 if it was not.
func (c *clock) setBack(server, local time.Time) time.Duration {
	const tolerance = 2 * time.Second
	before := *c
	*c = clock{server, local}
	if before.local.IsZero() {
		return 0
	}
	back := local.Sub(before.local) - server.Sub(before.server)
	if back < tolerance {
		return 0
	}
	return back.Round(time.Second)
}

// serve runs the lanes with work one after the other until ctx ends.
func (w *Worker) serve(ctx, work context.Context) {
	for {
		l, behind := w.schedule.next(ctx)
		if l == nil {
			return
		}
		began := time.Now()
		w.runLane(work, l, behind)
		if behind {
			w.schedule.endTurn(time.Since(began))
		}
	}
}
