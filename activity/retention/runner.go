package retention

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/guard"
)

// ErrBusy reports that another run is in progress, in this process or another one.
var ErrBusy = errors.New("another retention run is in progress")

// Counts holds numbers of rows.
type Counts struct {
	Activities      int64 `json:"activities"`
	Notifications   int64 `json:"notifications"`
	IdempotencyKeys int64 `json:"idempotency_keys"`
	DeadLetters     int64 `json:"dead_letters"`
	Parked          int64 `json:"parked"` // parked activities that became dead letters
	ServiceTokens   int64 `json:"service_tokens"`
}

func (c *Counts) add(o Counts) {
	c.Activities += o.Activities
	c.Notifications += o.Notifications
	c.IdempotencyKeys += o.IdempotencyKeys
	c.DeadLetters += o.DeadLetters
	c.Parked += o.Parked
	c.ServiceTokens += o.ServiceTokens
}

// Report describes the progress of a run, or its result.
type Report struct {
	RunID      uuid.UUID     `json:"run_id"`
	Removed    Counts        `json:"removed"`
	Partitions []string      `json:"partitions"` // dropped ones
	Busy       []string      `json:"busy"`       // expired partitions that were not dropped because the log was locked
	Tenants    int           `json:"tenants"`    // the number of tenants that were checked
	Batches    int           `json:"batches"`
	Took       time.Duration `json:"-"`
	Err        error         `json:"-"`
}

// Observer receives the report of every run at its end.
type Observer interface {
	Observe(r Report)
}

// Options configure a Runner. The zero value works.
type Options struct {
	Batch     int         // the maximum number of rows that a step removes; default 5,000
	DropTries int         // calls of fanfare.drop_partition per partition, which tries to lock 5 times; default 3
	Logger    *zap.Logger // default none
	Observer  Observer    // default none
}

// Runner removes expired rows. It is safe for concurrent use; there is one run at a time.
type Runner struct {
	pool      *pgxpool.Pool
	batch     int
	dropTries int
	logger    *zap.Logger
	observer  Observer
	guard     guard.Guard
}

// NewRunner returns a runner for the database of a pool.
func NewRunner(pool *pgxpool.Pool, o Options) *Runner {
	r := &Runner{
		pool:      pool,
		batch:     cmp.Or(o.Batch, 5000),
		dropTries: cmp.Or(o.DropTries, 3),
		logger:    o.Logger,
		observer:  o.Observer,
		guard:     guard.Guard{Log: o.Logger, Name: "observer of retention"},
	}
	if r.logger == nil {
		r.logger = zap.NewNop()
	}
	return r
}

// Run runs once, for one tenant or, with uuid.Nil, for every tenant, and returns the report. With
// ErrBusy nothing was removed. progress is called after every step and may be nil.
//
// When ctx ends, the current step is rolled back, the removed rows are recorded, and the error of
// ctx is returned.
func (r *Runner) Run(ctx context.Context, tenant uuid.UUID, progress func(Report)) (Report, error) {
	report, began, err := r.tryRun(ctx, tenant, 0, progress)
	if err == nil && !began {
		err = ErrBusy
	}
	return report, err
}

// Loop runs at the interval until ctx ends, and returns nil. If several processes call it, one of
// them runs at a time, and the interval is that between the runs of all.
func (r *Runner) Loop(ctx context.Context, interval time.Duration) error {
	poll := time.NewTicker(min(interval, 30*time.Second))
	defer poll.Stop()
	for {
		report, began, err := r.tryRun(ctx, uuid.Nil, interval, nil)
		if ctx.Err() != nil {
			return nil
		}
		r.logResult(report, began, err)
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
	}
}

func (r *Runner) logResult(report Report, began bool, err error) {
	fields := []zap.Field{
		zap.Any("removed", report.Removed),
		zap.Strings("partitions", report.Partitions),
		zap.Int("tenants", report.Tenants),
		zap.Duration("took", report.Took),
	}
	switch {
	case err != nil:
		r.logger.Warn("retention run failed; the next run continues", append(fields, zap.Error(err))...)
	case began && (report.Removed != Counts{} || len(report.Partitions) > 0):
		r.logger.Info("retention run removed expired rows", fields...)
	case began:
		r.logger.Debug("retention run removed no rows", fields...)
	}
	if len(report.Busy) > 0 {
		r.logger.Info("log locked: expired partitions not dropped, their activities removed in batches",
			zap.Strings("partitions", report.Busy))
	}
}

// recordTimeout bounds the work of a run after the end of its context.
const recordTimeout = 5 * time.Second

// tryRun runs unless another run is in progress or the previous one began less than interval ago.
// began reports whether it ran.
func (r *Runner) tryRun(
	ctx context.Context, tenant uuid.UUID, interval time.Duration, progress func(Report),
) (report Report, began bool, err error) {
	x := &run{Runner: r, only: tenant, progress: progress, loggedAt: time.Now()}
	if x.RunID, err = uuid.NewV7(); err != nil {
		return Report{}, false, err
	}
	x.Partitions, x.Busy = []string{}, []string{}
	start := time.Now()
	if err := r.pool.QueryRow(ctx, `SELECT fanfare.retention_begin($1, $2)`, x.RunID, nullIfZero(interval)).
		Scan(&began); err != nil {
		return x.Report, false, fmt.Errorf("begin a retention run: %w", err)
	}
	if !began {
		return x.Report, false, nil
	}
	err = x.removeExpired(ctx)
	// The removed rows are recorded even if ctx has ended.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	err = errors.Join(err, x.recordPurged(after))
	if _, endErr := r.pool.Exec(after, `SELECT fanfare.retention_end($1)`, x.RunID); endErr != nil {
		err = errors.Join(err, fmt.Errorf("end the retention run: %w", endErr))
	}
	x.Took, x.Err = time.Since(start), err
	if r.observer != nil {
		r.guard.Call(func() { r.observer.Observe(x.Report) })
	}
	return x.Report, true, err
}

func nullIfNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func nullIfZero(d time.Duration) *time.Duration {
	if d == 0 {
		return nil
	}
	return &d
}
