package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
)

type fairnessOptions struct {
	databaseFlags
	surge  int
	rate   int
	alone  time.Duration
	rounds int
	limit  time.Duration
}

func newFairness() *cobra.Command {
	return newBenchmark("fairness",
		"Measure the deliveries of other tenants while one tenant's surge of activities is delivered",
		&fairnessOptions{}, measureFairness)
}

func (o *fairnessOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.surge, "surge", 100_000, "number of activities that one tenant commits at once")
	flags.IntVar(&o.rate, "rate", 100, "activities of the other tenants a second")
	flags.DurationVar(&o.alone, "alone", 10*time.Second, "duration of the measurement without a surge")
	flags.IntVar(&o.rounds, "rounds", 3, "number of times to measure without and with a surge")
	flags.DurationVar(&o.limit, "timeout", 10*time.Minute, "maximum duration of a surge")
	o.databaseFlags.flags(flags)
	o.statementFlags(flags)
}

// fairnessRound is the deliveries of the other tenants without and with a surge.
type fairnessRound struct {
	Round     int     `json:"round"`
	Alone     timed   `json:"alone"`
	During    timed   `json:"during_surge"`
	PerSecond float64 `json:"surge_activities_per_second"`
	P50Ratio  float64 `json:"p50_ratio"`
	P99Ratio  float64 `json:"p99_ratio"`

	Statements []statement `json:"statements,omitempty"` // during the surge
}

type fairnessResult struct {
	Machine machine         `json:"machine"`
	Surge   int             `json:"surge"`
	Rate    int             `json:"rate"`
	Rounds  []fairnessRound `json:"rounds"`
	P50     spread          `json:"p50_ratio"`
	P99     spread          `json:"p99_ratio"`
}

// p99s returns the medians of the others' p99, without and with a surge.
func (r *fairnessResult) p99s() (alone, during milliseconds) {
	of := func(phase func(fairnessRound) timed) milliseconds {
		all := make([]milliseconds, len(r.Rounds))
		for i, each := range r.Rounds {
			all[i] = phase(each).Sent.P99
		}
		return median(all)
	}
	return of(func(each fairnessRound) timed { return each.Alone }),
		of(func(each fairnessRound) timed { return each.During })
}

func (r *fairnessResult) table(w io.Writer) {
	row(w, fmt.Sprintf("%d/s of others", r.Rate), "seconds", "activities", "p50", "p99", "max", "COMMIT p99")
	for _, each := range r.Rounds {
		for _, phase := range []struct {
			name string
			timed
		}{{"alone", each.Alone}, {fmt.Sprintf("surge of %d", r.Surge), each.During}} {
			row(w, phase.name, fmt.Sprintf("%.1f", phase.Seconds), phase.Activities,
				phase.Sent.P50, phase.Sent.P99, phase.Sent.Max, phase.Commits.P99)
		}
	}
	row(w)
	row(w, "ratio p50", r.P50)
	row(w, "ratio p99", r.P99)
	for _, each := range r.Rounds {
		showStatements(w, fmt.Sprintf("round %d", each.Round), each.Statements)
	}
}

func measureFairness(ctx context.Context, o *fairnessOptions) (result *fairnessResult, err error) {
	if o.surge < 1 || o.rate < 1 || o.rounds < 1 {
		return nil, errors.New("--surge, --rate and --rounds must be at least 1")
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
	worker, err := startWorkerProcess(s.db, s.centrifugo)
	if err != nil {
		return nil, err
	}
	defer worker.stop()
	surging, others, principals := divide(world)
	set, closeAll, err := acceptance.Connect(ctx, s.centrifugo, principals, acceptance.ConnectOptions{})
	if err != nil {
		return nil, err
	}
	defer closeAll()
	measured := &bystanders{db: s.db, resources: others, set: set, rate: o.rate}
	if _, err := measured.during(ctx, nothingFor(warmUpTime)); err != nil {
		return nil, err
	}
	result = &fairnessResult{Machine: thisMachine(), Surge: o.surge, Rate: o.rate}
	for n := range o.rounds {
		each := fairnessRound{Round: n + 1}
		if each.Alone, err = measured.during(ctx, nothingFor(o.alone)); err != nil {
			return nil, fmt.Errorf("alone: %w", err)
		}
		b := &surge{servers: s, resources: surging, size: o.surge, number: n + 1, limit: o.limit}
		progress("round %d: alone p99 %v; recording the surge", each.Round, each.Alone.Sent.P99)
		if err := b.record(ctx); err != nil {
			return nil, errors.Join(err, b.undo())
		}
		if err := resetStatements(ctx, s.db, o.statements); err != nil {
			return nil, errors.Join(err, b.undo())
		}
		if each.During, err = measured.during(ctx, b.commitAndAwait); err != nil {
			return nil, errors.Join(fmt.Errorf("during a surge: %w", err), b.undo())
		}
		if each.Statements, err = readStatements(ctx, s.db, o.statements); err != nil {
			return nil, err
		}
		if err := b.verify(ctx); err != nil {
			return nil, err
		}
		each.PerSecond = float64(o.surge) / each.During.Seconds
		each.P50Ratio = float64(each.During.Sent.P50 / each.Alone.Sent.P50)
		each.P99Ratio = float64(each.During.Sent.P99 / each.Alone.Sent.P99)
		progress("round %d: p99 %v during the surge, %.0f/s of it", each.Round, each.During.Sent.P99, each.PerSecond)
		result.Rounds = append(result.Rounds, each)
	}
	var p50, p99 []float64
	for _, each := range result.Rounds {
		p50, p99 = append(p50, each.P50Ratio), append(p99, each.P99Ratio)
	}
	result.P50, result.P99 = newSpread(p50), newSpread(p99)
	return result, nil
}

// divide returns the resources of the first tenant, those of the others, and the others' people.
func divide(world *fixture.World) (surging, others []*fixture.Resource, principals []activity.Principal) {
	for _, r := range world.Resources {
		if r.Tenant == world.Tenants[0] {
			surging = append(surging, r)
		} else {
			others = append(others, r)
		}
	}
	for _, p := range world.Principals() {
		if p.TenantID != world.Tenants[0].ID {
			principals = append(principals, p)
		}
	}
	return surging, others, principals
}
