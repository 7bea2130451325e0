package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
)

// engines are what Centrifugo keeps its channels in, with the number of Redis of each.
var engines = []struct {
	name  string
	redis int
}{{"memory", 0}, {"one Redis", 1}, {"two Redis", 2}}

type enginesOptions struct {
	databaseFlags
	workerFlags
	activities, rounds, rate int
	duration                 time.Duration
}

func newEngines() *cobra.Command {
	return newBenchmark("engines",
		"Measure delivering and latency with one Centrifugo, and with three nodes that share one or two Redis",
		&enginesOptions{}, measureEngines)
}

func (o *enginesOptions) flags(flags *pflag.FlagSet) {
	o.workerFlags.flags(flags)
	o.databaseFlags.flags(flags)
	flags.IntVar(&o.activities, "activities", 30_000, "number of activities to drain")
	flags.IntVar(&o.rounds, "rounds", 3, "number of times to measure each engine, in turns")
	flags.IntVar(&o.rate, "rate", 100, "activities a second, of the latency")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "duration of a measurement of the latency")
}

// engineRun is an engine in a round. CPU times are microseconds for each activity of three
// publications to people and one to a resource.
type engineRun struct {
	Engine        string      `json:"engine"`
	Round         int         `json:"round"`
	PerSecond     float64     `json:"activities_per_second"`
	WorkerCPU     float64     `json:"worker_cpu_us_per_activity"`
	PostgresCPU   float64     `json:"postgres_cpu_us_per_activity"`
	CentrifugoCPU float64     `json:"centrifugo_cpu_us_per_activity"`
	RedisCPU      float64     `json:"redis_cpu_us_per_activity"`
	Latency       percentiles `json:"since_commit_sent"`
	Commits       percentiles `json:"commits"`
}

type enginesResult struct {
	Machine    machine     `json:"machine"`
	Activities int         `json:"activities"`
	Rate       int         `json:"rate"`
	Runs       []engineRun `json:"runs"`
}

func (r *enginesResult) table(w io.Writer) {
	row(w, "engine", "activities/s", "CPU µs each:", "worker", "postgres", "centrifugo", "redis",
		fmt.Sprintf("at %d/s: p50", r.Rate), "p99", "COMMIT's p99")
	for _, run := range r.Runs {
		row(w, run.Engine, fmt.Sprintf("%.0f", run.PerSecond), "", fmt.Sprintf("%.1f", run.WorkerCPU),
			fmt.Sprintf("%.1f", run.PostgresCPU), fmt.Sprintf("%.1f", run.CentrifugoCPU),
			fmt.Sprintf("%.1f", run.RedisCPU), run.Latency.P50, run.Latency.P99, run.Commits.P99)
	}
	for _, e := range engines {
		var rates, p99 []float64
		for _, run := range r.Runs {
			if run.Engine == e.name {
				rates, p99 = append(rates, run.PerSecond), append(p99, float64(run.Latency.P99))
			}
		}
		row(w, "median "+e.name, fmt.Sprintf("%.0f", median(rates)), "", "", "", "", "", "",
			fmt.Sprintf("%.1f ms", median(p99)))
	}
}

func measureEngines(ctx context.Context, o *enginesOptions) (result *enginesResult, err error) {
	if o.rounds < 1 || o.activities < 1 {
		return nil, errors.New("--rounds and --activities must be at least 1")
	}
	drain := &drainOptions{workerFlags: o.workerFlags, activities: o.activities, timeout: time.Minute}
	db, err := o.start(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	if _, err := prepareDrain(ctx, db, drain, false); err != nil {
		return nil, err
	}
	result = &enginesResult{Machine: thisMachine(), Activities: o.activities, Rate: o.rate}
	for round, e := range turns(o.rounds, engines) {
		run, err := o.measure(ctx, db, drain, e.redis)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		run.Engine, run.Round = e.name, round
		progress("round %d: %s: %.0f/s, p99 %v", round, e.name, run.PerSecond, run.Latency.P99)
		result.Runs = append(result.Runs, run)
	}
	return result, nil
}

// measure drains a full outbox, and then measures the latency with a database of its own.
func (o *enginesOptions) measure(
	ctx context.Context, db *stack.Database, drain *drainOptions, redis int,
) (run engineRun, err error) {
	engine, err := stack.StartEngine(ctx, redis)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, engine.Stop()) }()
	if err := o.drain(ctx, db, drain, engine, &run); err != nil {
		return run, err
	}
	other, err := o.start(ctx, nil)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, other.Stop()) }()
	latency, err := latencyOf(ctx, other, engine, &latencyOptions{
		workerFlags: o.workerFlags, rate: o.rate, duration: o.duration, people: 100,
	})
	if err != nil {
		return run, err
	}
	run.Latency, run.Commits = latency.Sent, latency.Commits
	return run, latency.verify()
}

func (o *enginesOptions) drain(
	ctx context.Context, db *stack.Database, drain *drainOptions, engine *stack.Engine, run *engineRun,
) error {
	if err := db.Exec(ctx, "TRUNCATE fanfare.outbox, fanfare.notifications", refill); err != nil {
		return err
	}
	if err := db.Settle(ctx, "fanfare.outbox", "fanfare.notifications"); err != nil {
		return err
	}
	client, err := centrifugo.New(centrifugo.Options{APIURL: engine.APIURLs(), APIKey: engine.APIKey()})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := connect(ctx, client, false); err != nil {
		return err
	}
	counted := newDeliveries(o.activities)
	handler, err := newFanout(client, fanout.Options{NoInbox: true, Observer: sent{counted}})
	if err != nil {
		return err
	}
	took, used, err := drainBy(ctx, db, handler, counted, drain)
	if err != nil {
		return err
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(o.activities) }
	run.PerSecond = float64(o.activities) / took.Seconds()
	run.WorkerCPU, run.PostgresCPU = each(used.Self), each(used.Postgres)
	run.CentrifugoCPU, run.RedisCPU = each(used.Centrifugo), each(used.Redis)
	published, err := engine.Published(ctx)
	if want := counted.publications.Load(); err == nil && published != want {
		err = fmt.Errorf("%d publications reached Centrifugo, want %d", published, want)
	}
	return err
}
