package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/wait"
)

type writeOptions struct {
	databaseFlags
	rounds  int
	seconds int
	warmUp  time.Duration
	clients []int
	kinds   []string
	noFsync bool
}

func newWrite() *cobra.Command {
	return newBenchmark("write",
		"Measure what recording an activity costs the transaction that makes the change",
		&writeOptions{}, measureWrites)
}

func (o *writeOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.rounds, "rounds", 5, "number of times to measure each kind of transaction, in turns")
	flags.IntVar(&o.seconds, "seconds", 5, "seconds of each measurement")
	flags.DurationVar(&o.warmUp, "warm-up", time.Second, "duration of the load before each measurement")
	flags.IntSliceVar(&o.clients, "clients", []int{8},
		"number of clients with one transaction at a time each; several numbers are measured in turns")
	flags.StringSliceVar(&o.kinds, "kinds", transactionNames(), "kinds of transactions to measure")
	flags.BoolVar(&o.noFsync, "no-fsync", false, "do not wait for the disk")
	o.databaseFlags.flags(flags)
}

func (o *writeOptions) validate() error {
	if o.rounds < 1 || o.seconds < 1 || len(o.clients) == 0 || slices.Min(o.clients) < 1 {
		return errors.New("--rounds, --seconds and --clients must be at least 1")
	}
	return checkNames("kinds", o.kinds, transactionNames())
}

func measureWrites(ctx context.Context, o *writeOptions) (result *writeResult, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	db, err := o.start(ctx, writeSettings(o.noFsync))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	site, err := newSite(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := site.enforce(ctx); err != nil {
		return nil, err
	}
	result = &writeResult{Machine: thisMachine(), Fsync: !o.noFsync, Checks: site.checks}
	for round, load := range turns(o.rounds, o.loads()) {
		run, err := site.measure(ctx, load, o.warmUp, time.Duration(o.seconds)*time.Second)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", load.kind, err)
		}
		run.Round = round
		progress("round %d, %d clients: %s: %.0f transactions/s", round, load.clients, load.kind, run.PerSecond)
		result.Runs = append(result.Runs, run)
	}
	result.summarize(o)
	return result, nil
}

// writeLoad is a kind of transaction, and the number of clients that commit it.
type writeLoad struct {
	kind    string
	clients int
}

// loads returns the loads of a round.
func (o *writeOptions) loads() (all []writeLoad) {
	for _, clients := range o.clients {
		for _, kind := range o.kinds {
			all = append(all, writeLoad{kind, clients})
		}
	}
	return all
}

// writeSettings returns settings without a checkpoint during a measurement.
func writeSettings(noFsync bool) map[string]string {
	settings := map[string]string{"shared_buffers": "1GB", "max_wal_size": "16GB", "checkpoint_timeout": "1h"}
	if noFsync {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
	}
	return settings
}

// measure commits transactions with concurrent clients, and measures those after the warm-up.
func (s *site) measure(
	ctx context.Context, load writeLoad, warmUp, duration time.Duration,
) (run writeRun, err error) {
	if err := s.reset(ctx); err != nil {
		return run, err
	}
	pool, err := s.db.NewPool(ctx, load.clients)
	if err != nil {
		return run, err
	}
	defer pool.Close()
	var (
		over    atomic.Bool
		commits atomic.Int64
		mu      sync.Mutex
		took    []time.Duration
	)
	counting := time.Now().Add(warmUp)
	g, working := errgroup.WithContext(ctx)
	for range load.clients {
		g.Go(func() error {
			mine, err := s.commitUntil(working, pool, load.kind, counting, &over, &commits)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			return err
		})
	}
	_ = wait.Sleep(working, time.Until(counting))
	cpu, before, began := stack.ReadCPU(), commits.Load(), time.Now()
	_ = wait.Sleep(working, duration)
	used, after, seconds := stack.ReadCPU().Since(cpu), commits.Load(), time.Since(began).Seconds()
	over.Store(true)
	if err := g.Wait(); err != nil {
		return run, err
	}
	n := after - before
	if n == 0 {
		return run, errors.New("no transaction was committed")
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	run = writeRun{
		Kind: load.kind, Clients: load.clients, Commits: n, PerSecond: float64(n) / seconds,
		Took:      acceptance.NewPercentiles(took),
		ClientCPU: each(used.Self), PostgresCPU: each(used.Postgres),
	}
	return run, s.verify(ctx, load.kind, commits.Load())
}

// commitUntil commits one transaction after the other until over is set, and returns the durations
// of those that started after counting.
func (s *site) commitUntil(
	ctx context.Context,
	pool *pgxpool.Pool,
	kind string,
	counting time.Time,
	over *atomic.Bool,
	commits *atomic.Int64,
) (took []time.Duration, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	do := transactions[kind]
	for !over.Load() {
		began := time.Now()
		if err := do(s, ctx, conn.Conn()); err != nil {
			return nil, err
		}
		commits.Add(1)
		if began.After(counting) {
			took = append(took, time.Since(began))
		}
	}
	return took, nil
}
