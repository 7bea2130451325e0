package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// workerFlags are the options of the worker.
type workerFlags struct {
	Claimers int `json:"claimers"`
	Batch    int `json:"batch"`
}

// poolSize returns the number of connections that outbox.Options requires.
func (f workerFlags) poolSize() int {
	claimers := f.Claimers
	if claimers <= 0 {
		claimers = 4
	}
	return 2*claimers + 2
}

// deliveries counts what a worker reports. It is the observer of its outbox and of its fan-out.
type deliveries struct {
	target    int64
	delivered atomic.Int64
	failures  atomic.Int64
	reached   chan struct{} // closed once target activities are delivered

	publications, inbox, recipients atomic.Int64
}

func newDeliveries(target int) *deliveries {
	return &deliveries{target: int64(target), reached: make(chan struct{})}
}

// Observe implements outbox.Observer.
func (t *deliveries) Observe(r outbox.Report) {
	if r.Err != nil {
		t.failures.Add(1)
		return
	}
	n := int64(len(r.Delivered))
	if total := t.delivered.Add(n); total >= t.target && total-n < t.target {
		close(t.reached)
	}
}

// sent is the deliveries as the observer of the fan-out.
type sent struct{ *deliveries }

// Observe implements fanout.Observer.
func (s sent) Observe(r fanout.Report) {
	s.publications.Add(int64(r.Publications))
	s.inbox.Add(int64(r.InboxRows))
	for _, n := range r.Recipients {
		s.recipients.Add(int64(n))
	}
}

// newFanout returns the handler as the daemon configures it.
func newFanout(publisher fanout.Publisher, opts fanout.Options) (*fanout.Fanout, error) {
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	if err != nil {
		return nil, err
	}
	return fanout.New(publisher, channels, preferences.NewFilter(nil), opts), nil
}

// nowhere discards publications.
type nowhere struct{}

func (nowhere) Publish(_ context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result {
	return make([]centrifugo.Result, len(broadcasts))
}

// idle is a handler that does nothing, to measure claiming and settling alone.
type idle struct{}

func (idle) Handle(_ context.Context, _ pgx.Tx, batch []outbox.Item) ([]outbox.Outcome, error) {
	return make([]outbox.Outcome, len(batch)), nil
}

func (idle) Step(context.Context, pgx.Tx, outbox.Job) (outbox.Step, error) {
	return outbox.Step{Done: true}, nil
}

// running is a running worker.
type running struct {
	cancel context.CancelFunc
	ended  chan error
	pool   *pgxpool.Pool
}

// startWorker starts a worker with a pool of its own.
func startWorker(
	ctx context.Context,
	url string,
	handler outbox.Handler,
	flags workerFlags,
	observer outbox.Observer,
) (*running, error) {
	pool, err := stack.NewPool(ctx, url, flags.poolSize())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &running{cancel: cancel, ended: make(chan error, 1), pool: pool}
	worker := outbox.NewWorker(pool, handler,
		outbox.Options{Claimers: flags.Claimers, Batch: flags.Batch, Observer: observer, Logger: warnings()})
	go func() { r.ended <- worker.Run(ctx) }()
	return r, nil
}

// warnings returns a logger that writes warnings and errors to standard error.
func warnings() *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), zap.WarnLevel))
}

// stop stops the worker and closes its pool.
func (r *running) stop() error {
	r.cancel()
	err := <-r.ended
	r.pool.Close()
	return err
}

// await returns when the target is reached.
func (t *deliveries) await(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-t.reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitNumber returns when a number of activities is delivered, which may differ from the target.
func (t *deliveries) awaitNumber(ctx context.Context, n int) error {
	for t.delivered.Load() < int64(n) {
		if err := wait.Sleep(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d activities delivered: %w", t.delivered.Load(), n, err)
		}
	}
	return nil
}

// relay is an observer that forwards to a replaceable deliveries.
type relay struct{ to atomic.Pointer[deliveries] }

// Observe implements outbox.Observer.
func (r *relay) Observe(report outbox.Report) {
	if t := r.to.Load(); t != nil {
		t.Observe(report)
	}
}
