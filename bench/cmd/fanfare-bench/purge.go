package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/bench/internal/loggen"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/wait"
)

type purgeOptions struct {
	databaseFlags
	activities int
	tenants    int
	rate       int
	seconds    int
	batch      int
}

func newPurge() *cobra.Command {
	return newBenchmark("purge",
		"Measure how long recording takes while the log is purged",
		&purgeOptions{}, measurePurge)
}

func (o *purgeOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.activities, "activities", 1_000_000,
		"approximate number of activities of each purge; the log has 2.5 times as many")
	flags.IntVar(&o.tenants, "tenants", 50, "number of tenants")
	flags.IntVar(&o.rate, "rate", 200, "transactions a second")
	flags.IntVar(&o.seconds, "seconds", 30, "seconds to write without a purge")
	flags.IntVar(&o.batch, "batch", 0, "maximum number of rows of a step of the purge (0: the default)")
	o.databaseFlags.flags(flags)
}

// purgeRun is the measurement of writing in one phase.
type purgeRun struct {
	Phase      string      `json:"phase"`
	Commits    int         `json:"transactions"`
	Took       percentiles `json:"took"` // from the due time of each transaction
	Purged     int64       `json:"activities_purged"`
	Keys       int64       `json:"idempotency_keys_purged"`
	Partitions int         `json:"partitions_dropped"`
	Batches    int         `json:"batches"`
	Seconds    float64     `json:"purge_seconds"`
	PerSecond  float64     `json:"activities_purged_per_second"`
}

type purgeResult struct {
	Machine machine    `json:"machine"`
	Rate    int        `json:"rate"`
	Runs    []purgeRun `json:"runs"`
}

func (r *purgeResult) table(w io.Writer) {
	row(w, fmt.Sprintf("%d transactions/s", r.Rate), "transactions", "p50", "p99", "max", "purged", "keys",
		"partitions", "batches", "seconds", "purged/s")
	for _, run := range r.Runs {
		row(w, run.Phase, run.Commits, run.Took.P50, run.Took.P99, run.Took.Max, run.Purged, run.Keys, run.Partitions,
			run.Batches, fmt.Sprintf("%.1f", run.Seconds), fmt.Sprintf("%.0f", run.PerSecond))
	}
}

// The phases.
const (
	undisturbed  = "no purge"
	inBatches    = "purge in batches"
	inPartitions = "purge of partitions"
)

func measurePurge(ctx context.Context, o *purgeOptions) (result *purgeResult, err error) {
	if o.activities < 1000 || o.tenants < 2 || o.rate < 1 || o.seconds < 1 {
		return nil, errors.New("--activities must be at least 1000, --tenants 2, --rate and --seconds 1")
	}
	db, err := o.start(ctx, writeSettings(false))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	// Of the months that are over, the older half is purged in batches and the newer by partitions.
	const months = 6
	log := loggen.Options{Activities: 5 * o.activities / 2, Tenants: o.tenants, Months: months}
	if _, err := loadLog(ctx, db, log); err != nil {
		return nil, err
	}
	site, err := newSite(ctx, db)
	if err != nil {
		return nil, err
	}
	tenants, err := countTenants(ctx, db)
	if err != nil {
		return nil, err
	}
	purger := &purger{db: db, tenant: tenants[len(tenants)-1].ID, batch: o.batch}
	now := time.Now().UTC()
	thisMonth := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	result = &purgeResult{Machine: thisMachine(), Rate: o.rate}
	for _, phase := range []struct {
		name    string
		atLeast time.Duration
		keep    bool      // one tenant keeps everything, so that no partition can be dropped
		before  time.Time // activities recorded earlier are purged; zero purges none
	}{
		{name: undisturbed, atLeast: time.Duration(o.seconds) * time.Second},
		{name: inBatches, keep: true, before: thisMonth.AddDate(0, -(months-1)/2, 0)},
		{name: inPartitions, before: thisMonth, atLeast: 5 * time.Second},
	} {
		var purge func() (retention.Report, error)
		if !phase.before.IsZero() {
			if err := purger.set(ctx, phase.before, phase.keep); err != nil {
				return nil, err
			}
			purge = func() (retention.Report, error) { return purger.run(ctx) }
		}
		if err := db.Exec(ctx, "CHECKPOINT"); err != nil {
			return nil, err
		}
		progress("%s", phase.name)
		run, err := site.writeDuring(ctx, o.rate, phase.atLeast, purge)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", phase.name, err)
		}
		run.Phase = phase.name
		if purge != nil && run.Purged == 0 {
			return nil, fmt.Errorf("%s: nothing was purged", phase.name)
		}
		result.Runs = append(result.Runs, run)
	}
	return result, nil
}

// purger sets retention policies and runs them.
type purger struct {
	db     *stack.Database
	tenant uuid.UUID
	batch  int
}

// set sets a policy that purges activities recorded before or on the day of a time.
func (p *purger) set(ctx context.Context, before time.Time, keep bool) error {
	days, none, one := int64(time.Since(before)/(24*time.Hour)), int64(0), int64(1)
	all := retention.Change{retention.MaxDays: &days, retention.MinDays: &one}
	if _, err := retention.Set(ctx, p.db.Pool, retention.Installation, activity.System, all); err != nil {
		return err
	}
	own := retention.Change{retention.MaxDays: nil}
	if keep {
		own[retention.MaxDays] = &none
	}
	_, err := retention.Set(ctx, p.db.Pool, p.tenant, activity.System, own)
	return err
}

func (p *purger) run(ctx context.Context) (retention.Report, error) {
	pool, err := p.db.NewPool(ctx, 2)
	if err != nil {
		return retention.Report{}, err
	}
	defer pool.Close()
	var reported time.Time
	return retention.NewRunner(pool, retention.Options{Batch: p.batch, Logger: warnings()}).
		Run(ctx, uuid.Nil, func(r retention.Report) {
			if time.Since(reported) > 5*time.Second {
				reported = time.Now()
				progress("%d activities and %d idempotency keys purged, %d partitions dropped", r.Removed.Activities,
					r.Removed.IdempotencyKeys, len(r.Partitions))
			}
		})
}

// writeDuring records activities at a steady rate from shortly before the purge until it has ended,
// for at least a duration. It measures each transaction from its due time.
func (s *site) writeDuring(
	ctx context.Context,
	rate int,
	atLeast time.Duration,
	purge func() (retention.Report, error),
) (run purgeRun, err error) {
	const lead = 2 * time.Second // not measured
	pool, err := s.db.NewPool(ctx, 32)
	if err != nil {
		return run, err
	}
	defer pool.Close()
	var (
		mu   sync.Mutex
		took []time.Duration
		over atomic.Bool
	)
	began := time.Now()
	counting := began.Add(lead)
	g, working := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer over.Store(true)
		_ = wait.Sleep(working, time.Until(counting))
		if purge != nil {
			start := time.Now()
			report, err := purge()
			if err != nil {
				return err
			}
			run.Seconds = time.Since(start).Seconds()
			run.Purged, run.Keys = report.Removed.Activities, report.Removed.IdempotencyKeys
			run.Partitions, run.Batches = len(report.Partitions), report.Batches
			run.PerSecond = float64(run.Purged) / run.Seconds
		}
		_ = wait.Sleep(working, time.Until(counting.Add(atLeast)))
		return nil
	})
	g.Go(func() error {
		for n := 0; !over.Load() && working.Err() == nil; n++ {
			due := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
			_ = wait.Sleep(working, time.Until(due))
			g.Go(func() error {
				conn, err := pool.Acquire(working)
				if err != nil {
					return err
				}
				defer conn.Release()
				if err := s.recorded(working, conn.Conn()); err != nil {
					return err
				}
				if due.After(counting) {
					mu.Lock()
					defer mu.Unlock()
					took = append(took, time.Since(due))
				}
				return nil
			})
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return run, err
	}
	run.Commits, run.Took = len(took), acceptance.NewPercentiles(took)
	return run, nil
}
