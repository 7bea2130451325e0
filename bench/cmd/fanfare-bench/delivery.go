package main

import (
	"context"
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
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// workerFlags are those of the worker that every subcommand can set.
type workerFlags struct {
	Claimers int `json:"claimers"`
	Batch    int `json:"batch"`
}

// poolSize is what outbox.Options asks for.
func (f workerFlags) poolSize() int {
	claimers := f.Claimers
	if claimers <= 0 {
		claimers = 4
	}
	return 2*claimers + 2
}

// tally counts what a worker reports, as the Observer of its outbox and of its fanout.
type tally struct {
	target    int64
	delivered atomic.Int64
	failures  atomic.Int64
	reached   chan struct{} // closed once target activities are delivered

	publications, inbox, told atomic.Int64
}

func newTally(target int) *tally {
	return &tally{target: int64(target), reached: make(chan struct{})}
}

// Observe implements outbox.Observer.
func (t *tally) Observe(r outbox.Report) {
	if r.Err != nil {
		t.failures.Add(1)
		return
	}
	n := int64(len(r.Delivered))
	if total := t.delivered.Add(n); total >= t.target && total-n < t.target {
		close(t.reached)
	}
}

// sent is the fanout's side of a tally.
type sent struct{ *tally }

// Observe implements fanout.Observer.
func (s sent) Observe(r fanout.Report) {
	s.publications.Add(int64(r.Publications))
	s.inbox.Add(int64(r.InboxRows))
	for _, n := range r.Recipients {
		s.told.Add(int64(n))
	}
}

// newFanout makes the handler as the daemon does.
func newFanout(publisher fanout.Publisher, opts fanout.Options) (*fanout.Fanout, error) {
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	if err != nil {
		return nil, err
	}
	return fanout.New(publisher, channels, preferences.NewFilter(nil), opts), nil
}

// nowhere publishes to nobody, successfully.
type nowhere struct{}

func (nowhere) Publish(_ context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result {
	return make([]centrifugo.Result, len(broadcasts))
}

// idle is a handler that does nothing, so that only claiming and settling are measured.
type idle struct{}

func (idle) Handle(_ context.Context, _ pgx.Tx, batch []outbox.Item) ([]outbox.Outcome, error) {
	return make([]outbox.Outcome, len(batch)), nil
}

func (idle) Step(context.Context, pgx.Tx, outbox.Job) (outbox.Step, error) {
	return outbox.Step{Done: true}, nil
}

// running is a worker under way.
type running struct {
	cancel context.CancelFunc
	ended  chan error
	pool   *pgxpool.Pool
}

// startWorker runs a worker with connections of its own.
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
	worker := outbox.NewWorker(
		pool,
		handler,
		outbox.Options{Claimers: flags.Claimers, Batch: flags.Batch, Observer: observer, Logger: warnings()},
	)
	go func() { r.ended <- worker.Run(ctx) }()
	return r, nil
}

// warnings shows on stderr what a worker complains of.
func warnings() *zap.Logger {
	return zap.New(
		zapcore.NewCore(
			zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()),
			zapcore.Lock(os.Stderr),
			zap.WarnLevel,
		),
	)
}

// stop ends the worker in good order.
func (r *running) stop() error {
	r.cancel()
	err := <-r.ended
	r.pool.Close()
	return err
}

// await waits for the tally to be full.
func (t *tally) await(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-t.reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// relay is an Observer that can be pointed at one tally after the other.
type relay struct{ to atomic.Pointer[tally] }

// Observe implements outbox.Observer.
func (r *relay) Observe(report outbox.Report) {
	if t := r.to.Load(); t != nil {
		t.Observe(report)
	}
}
