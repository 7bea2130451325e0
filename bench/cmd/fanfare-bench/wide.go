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
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
)

type wideOptions struct {
	databaseFlags
	watchers int
	rate     int
	alone    time.Duration
	limit    time.Duration
}

func newWide() *cobra.Command {
	return newBenchmark("wide",
		"Measure the delivery of one activity to a million watchers, and of others' activities meanwhile",
		&wideOptions{}, measureWide)
}

func (o *wideOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.watchers, "watchers", 1_000_000, "number of watchers of the activity")
	flags.IntVar(&o.rate, "rate", 100, "activities of other resources a second")
	flags.DurationVar(&o.alone, "alone", 10*time.Second, "duration of the measurement before the activity")
	flags.DurationVar(&o.limit, "timeout", 20*time.Minute, "maximum duration of the delivery")
	o.databaseFlags.flags(flags)
}

type wideResult struct {
	Machine   machine `json:"machine"`
	Watchers  int     `json:"watchers"`
	Rate      int     `json:"rate"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"watchers_per_second"`

	// CPU times are microseconds for each watcher, including those of the other activities.
	WorkerCPU     float64 `json:"worker_cpu_us_per_watcher"`
	PostgresCPU   float64 `json:"postgres_cpu_us_per_watcher"`
	CentrifugoCPU float64 `json:"centrifugo_cpu_us_per_watcher"`

	// Memory of the worker's process, in bytes.
	Before int64 `json:"worker_memory_before"`
	Peak   int64 `json:"worker_memory_peak"`

	Alone    timed   `json:"alone"`
	During   timed   `json:"during_delivery"`
	P99Ratio float64 `json:"p99_ratio"`
}

func (r *wideResult) table(w io.Writer) {
	const megabyte = 1 << 20
	row(w, fmt.Sprintf("%d watchers", r.Watchers), "seconds", "watchers/s",
		"CPU µs each:", "worker", "postgres", "centrifugo", "worker MB before", "peak")
	row(w, "", fmt.Sprintf("%.1f", r.Seconds), fmt.Sprintf("%.0f", r.PerSecond), "",
		fmt.Sprintf("%.1f", r.WorkerCPU), fmt.Sprintf("%.1f", r.PostgresCPU), fmt.Sprintf("%.1f", r.CentrifugoCPU),
		r.Before/megabyte, r.Peak/megabyte)
	row(w)
	row(w, fmt.Sprintf("%d/s of others", r.Rate), "activities", "p50", "p99", "max", "COMMIT p99")
	show := func(name string, t timed) {
		row(w, name, t.Activities, t.Sent.P50, t.Sent.P99, t.Sent.Max, t.Commits.P99)
	}
	show("alone", r.Alone)
	show("meanwhile", r.During)
	row(w, "ratio p99", fmt.Sprintf("%.2f", r.P99Ratio))
}

func measureWide(ctx context.Context, o *wideOptions) (result *wideResult, err error) {
	if o.watchers < 1 || o.rate < 1 {
		return nil, errors.New("--watchers and --rate must be at least 1")
	}
	s, err := o.startServers(ctx, writeSettings(false))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	world := fixture.New(fixture.Options{})
	err = errors.Join(world.Load(ctx, s.db.Pool), world.AddThings(ctx, s.db.Pool), fillLog(ctx, s.db, world))
	if err != nil {
		return nil, err
	}
	progress("adding a resource with %d watchers", o.watchers)
	audience, err := newAudience(ctx, s, world.Tenants[0], o.watchers)
	if err != nil {
		return nil, err
	}
	worker, err := startWorkerProcess(s.db, s.centrifugo)
	if err != nil {
		return nil, err
	}
	defer worker.stop()
	set, closeAll, err := acceptance.Connect(ctx, s.centrifugo, world.Principals(), acceptance.ConnectOptions{})
	if err != nil {
		return nil, err
	}
	defer closeAll()
	others := &bystanders{db: s.db, resources: world.Resources, set: set, rate: o.rate}
	if _, err := others.during(ctx, nothingFor(warmUpTime)); err != nil {
		return nil, err
	}
	result = &wideResult{Machine: thisMachine(), Watchers: o.watchers, Rate: o.rate}
	if result.Alone, err = others.during(ctx, nothingFor(o.alone)); err != nil {
		return nil, fmt.Errorf("alone: %w", err)
	}
	progress("alone p99 %v; recording the activity", result.Alone.Sent.P99)
	others.committed = 0
	if err := audience.record(ctx); err != nil {
		return nil, errors.Join(err, audience.undo())
	}
	var cost wideCost
	limited, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	result.During, err = others.during(limited, func(ctx context.Context) error {
		return cost.of(worker, func() error { return audience.commitAndAwait(ctx) })
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("during the delivery: %w", err), audience.undo())
	}
	if err := audience.verify(ctx, others.publications()); err != nil {
		return nil, err
	}
	result.fill(cost)
	return result, nil
}

// wideCost is what a delivery takes.
type wideCost struct {
	before, after stack.Usage // of the worker
	used          stack.CPU   // by the servers
}

// of measures a delivery by the worker.
func (c *wideCost) of(worker *child, deliver func() error) (err error) {
	if c.before, err = worker.usage(); err != nil {
		return err
	}
	cpu := stack.ReadCPU()
	if err := deliver(); err != nil {
		return err
	}
	c.used = stack.ReadCPU().Since(cpu)
	c.after, err = worker.usage()
	return err
}

func (r *wideResult) fill(c wideCost) {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(r.Watchers) }
	r.Seconds = r.During.Seconds
	r.PerSecond = float64(r.Watchers) / r.Seconds
	r.WorkerCPU, r.PostgresCPU = each(c.after.CPU-c.before.CPU), each(c.used.Postgres)
	r.CentrifugoCPU = each(c.used.Centrifugo)
	r.Before, r.Peak = c.before.Resident, c.after.Peak
	r.P99Ratio = float64(r.During.Sent.P99 / r.Alone.Sent.P99)
}
