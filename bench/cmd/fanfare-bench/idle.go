package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/wait"
)

type idleOptions struct {
	databaseFlags
	workers  []int
	rounds   int
	warmUp   time.Duration
	duration time.Duration
}

func newIdle() *cobra.Command {
	return newBenchmark("idle",
		"Measure the CPU time and the statements of workers that have nothing to do",
		&idleOptions{}, measureIdle)
}

func (o *idleOptions) flags(flags *pflag.FlagSet) {
	flags.IntSliceVar(&o.workers, "workers", []int{0, 1, 4, 16},
		"numbers of worker processes; 0, the servers alone, is required")
	flags.IntVar(&o.rounds, "rounds", 3, "number of times to measure each number, in turns")
	flags.DurationVar(&o.warmUp, "warm-up", 10*time.Second, "duration from the start of the workers to a measurement")
	flags.DurationVar(&o.duration, "duration", 20*time.Second, "duration of a measurement")
	o.databaseFlags.flags(flags)
}

// idleRun is one measurement. CPU times are percent of one core, of all workers together.
type idleRun struct {
	Workers    int     `json:"workers"`
	Round      int     `json:"round"`
	WorkerCPU  float64 `json:"workers_cpu_percent"`
	Postgres   float64 `json:"postgres_cpu_percent"`
	Centrifugo float64 `json:"centrifugo_cpu_percent"`
	Statements float64 `json:"statements_per_second"`
}

// idleSummary summarizes the rounds of a number of workers.
type idleSummary struct {
	Workers    int     `json:"workers"`
	WorkerCPU  spread  `json:"workers_cpu_percent"`
	Postgres   spread  `json:"postgres_cpu_percent"`
	Centrifugo float64 `json:"centrifugo_cpu_percent"`
	All        spread  `json:"cpu_percent"` // of the workers and of PostgreSQL, without the servers alone
	Statements spread  `json:"statements_per_second"`
}

type idleResult struct {
	Machine machine       `json:"machine"`
	Runs    []idleRun     `json:"runs"`
	Summary []idleSummary `json:"summary"`
}

func (r *idleResult) table(w io.Writer) {
	row(w, "idle workers", "% of a core:", "workers", "postgres", "centrifugo", "beyond the servers alone",
		"statements/s")
	for _, s := range r.Summary {
		row(w, s.Workers, "", s.WorkerCPU, s.Postgres, fmt.Sprintf("%.2f", s.Centrifugo), s.All, s.Statements)
	}
}

func measureIdle(ctx context.Context, o *idleOptions) (result *idleResult, err error) {
	if o.rounds < 1 || o.duration <= 0 || slices.ContainsFunc(o.workers, func(n int) bool { return n < 0 }) {
		return nil, errors.New("--rounds and --duration must be positive, and --workers not negative")
	}
	if !slices.Contains(o.workers, 0) {
		return nil, errors.New("--workers must contain 0: what workers use is compared with the servers alone")
	}
	o.statements = true
	s, err := o.startServers(ctx, map[string]string{"max_connections": "400"})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	world := fixture.New(fixture.Options{})
	if err := world.Load(ctx, s.db.Pool); err != nil {
		return nil, err
	}
	result = &idleResult{Machine: thisMachine()}
	for round, n := range turns(o.rounds, o.workers) {
		run, err := idleOnce(ctx, s, world, n, o)
		if err != nil {
			return nil, fmt.Errorf("%d workers: %w", n, err)
		}
		run.Round = round
		progress("round %d, %d workers: %.1f %% of a core in the workers, %.1f %% in PostgreSQL, %.0f statements/s",
			round, n, run.WorkerCPU, run.Postgres, run.Statements)
		result.Runs = append(result.Runs, run)
	}
	result.summarize(o.workers)
	return result, nil
}

// idleOnce starts workers, measures them, and verifies that they deliver an activity afterwards.
func idleOnce(ctx context.Context, s *servers, world *fixture.World, n int, o *idleOptions) (run idleRun, err error) {
	run.Workers = n
	workers := make([]*child, n)
	for i := range workers {
		if workers[i], err = startWorkerProcess(s.db, s.centrifugo); err != nil {
			return run, err
		}
		defer workers[i].stop()
	}
	if err := wait.Sleep(ctx, o.warmUp); err != nil {
		return run, err
	}
	if err := resetStatements(ctx, s.db, true); err != nil {
		return run, err
	}
	usedBefore, err := usageOf(workers)
	if err != nil {
		return run, err
	}
	before, began := stack.ReadCPU(), time.Now()
	if err := wait.Sleep(ctx, o.duration); err != nil {
		return run, err
	}
	used, seconds := stack.ReadCPU().Since(before), time.Since(began).Seconds()
	usedAfter, err := usageOf(workers)
	if err != nil {
		return run, err
	}
	var calls float64
	const query = "SELECT coalesce(sum(calls), 0)::float8 FROM pg_stat_statements"
	if err := s.db.Pool.QueryRow(ctx, query).Scan(&calls); err != nil {
		return run, err
	}
	percent := func(d time.Duration) float64 { return 100 * d.Seconds() / seconds }
	run.WorkerCPU, run.Postgres = percent(usedAfter-usedBefore), percent(used.Postgres)
	run.Centrifugo, run.Statements = percent(used.Centrifugo), calls/seconds
	if n == 0 {
		return run, nil
	}
	if _, err := world.Record(ctx, s.db.Pool, n); err != nil {
		return run, err
	}
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return run, acceptance.AwaitDelivered(limited, s.db.Pool)
}

// usageOf returns the CPU time of processes.
func usageOf(processes []*child) (used time.Duration, err error) {
	for _, p := range processes {
		usage, err := p.usage()
		if err != nil {
			return 0, err
		}
		used += usage.CPU
	}
	return used, nil
}

func (r *idleResult) summarize(numbers []int) {
	of := func(n int, figure func(idleRun) float64) (list []float64) {
		for _, run := range r.Runs {
			if run.Workers == n {
				list = append(list, figure(run))
			}
		}
		return list
	}
	alone := median(of(0, func(run idleRun) float64 { return run.Postgres }))
	for _, n := range numbers {
		r.Summary = append(r.Summary, idleSummary{
			Workers:    n,
			WorkerCPU:  newSpread(of(n, func(run idleRun) float64 { return run.WorkerCPU })),
			Postgres:   newSpread(of(n, func(run idleRun) float64 { return run.Postgres })),
			Centrifugo: median(of(n, func(run idleRun) float64 { return run.Centrifugo })),
			All: newSpread(of(n, func(run idleRun) float64 {
				return run.WorkerCPU + max(0, run.Postgres-alone)
			})),
			Statements: newSpread(of(n, func(run idleRun) float64 { return run.Statements })),
		})
	}
}
