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

	"github.com/fanfarehq/fanfare/bench/internal/loggen"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

type growthOptions struct {
	databaseFlags
	workerFlags
	dimensions []string
	sizes      []int
	depths     []int
	patterns   []int
	activities int
	rounds     int
	timeout    time.Duration
}

func newGrowth() *cobra.Command {
	return newBenchmark("growth",
		"Measure, without fsync, how the CPU time of a delivery depends on the tables, the tree and the preferences",
		&growthOptions{}, measureGrowth)
}

func (o *growthOptions) flags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&o.dimensions, "dimensions", dimensionNames(), "what grows")
	flags.IntSliceVar(&o.sizes, "sizes", []int{10_000, 100_000, 1_000_000, 10_000_000},
		"numbers of pending activities, of activities in the log, and of subscriptions")
	flags.IntSliceVar(&o.depths, "depths", []int{2, 8, 32, 128}, "numbers of ancestors of the resources")
	flags.IntSliceVar(&o.patterns, "patterns", []int{3, 10, 30, 100}, "numbers of patterns of each person")
	flags.IntVar(&o.activities, "activities", 30_000, "number of activities of a measurement")
	flags.IntVar(&o.rounds, "rounds", 3, "number of times to measure each size, in turns")
	flags.DurationVar(&o.timeout, "timeout", 2*time.Minute, "maximum duration of a delivery")
	o.workerFlags.flags(flags)
	o.databaseFlags.flags(flags)
}

func (o *growthOptions) validate() error {
	if o.activities < 1 || o.rounds < 1 {
		return errors.New("--activities and --rounds must be at least 1")
	}
	for _, list := range [][]int{o.sizes, o.depths, o.patterns} {
		if len(list) == 0 || slices.Min(list) < 1 {
			return errors.New("--sizes, --depths and --patterns must contain positive numbers")
		}
	}
	if slices.Min(o.depths) < 2 || slices.Min(o.patterns) < len(matchingPatterns) {
		return fmt.Errorf("--depths must be at least 2, --patterns at least %d", len(matchingPatterns))
	}
	return checkNames("dimensions", o.dimensions, dimensionNames())
}

// sizesOf returns the sizes of a dimension.
func (o *growthOptions) sizesOf(dimension string) []int {
	switch dimension {
	case depthOfTree:
		return o.depths
	case patternsOfPeople:
		return o.patterns
	default:
		return o.sizes
	}
}

// growthRun is one delivery.
type growthRun struct {
	Dimension string `json:"dimension"`
	Size      int    `json:"size"`
	drainRun
}

// growthSummary summarizes the rounds of a size. CPU times are microseconds per activity.
type growthSummary struct {
	Dimension   string  `json:"dimension"`
	Size        int     `json:"size"`
	PerSecond   spread  `json:"per_second"`
	WorkerCPU   float64 `json:"worker_cpu_us"`
	PostgresCPU float64 `json:"postgres_cpu_us"`
	CPU         spread  `json:"cpu_us"`
	Ratio       float64 `json:"cpu_ratio_to_smallest"` // of the medians
}

type growthResult struct {
	Machine    machine         `json:"machine"`
	Activities int             `json:"activities"`
	Runs       []growthRun     `json:"runs"`
	Summary    []growthSummary `json:"summary"`
}

func (r *growthResult) table(w io.Writer) {
	row(w, "resolving, without publishing and fsync", "size", "activities/s",
		"CPU µs each:", "worker", "postgres", "sum", "to smallest")
	for _, s := range r.Summary {
		row(w, s.Dimension, s.Size, fmt.Sprintf("%.0f", s.PerSecond.Median), "",
			fmt.Sprintf("%.1f", s.WorkerCPU), fmt.Sprintf("%.1f", s.PostgresCPU), s.CPU, fmt.Sprintf("%.2f", s.Ratio))
	}
}

// ends returns the smallest and the largest size of a dimension. ok is false if it has fewer than
// two.
func (r *growthResult) ends(dimension string) (smallest, largest growthSummary, ok bool) {
	var sizes []growthSummary
	for _, s := range r.Summary {
		if s.Dimension == dimension {
			sizes = append(sizes, s)
		}
	}
	slices.SortFunc(sizes, func(a, b growthSummary) int { return a.Size - b.Size })
	if len(sizes) < 2 {
		return smallest, largest, false
	}
	return sizes[0], sizes[len(sizes)-1], true
}

func measureGrowth(ctx context.Context, o *growthOptions) (result *growthResult, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	server, err := o.start(ctx, loggen.Settings())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	result = &growthResult{Machine: thisMachine(), Activities: o.activities}
	for _, dimension := range o.dimensions {
		runs, err := growIn(ctx, server, dimension, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dimension, err)
		}
		result.Runs = append(result.Runs, runs...)
		result.Summary = append(result.Summary, summarizeGrowth(runs, o.sizesOf(dimension))...)
	}
	return result, nil
}

// growIn measures all sizes of a dimension, each in a database of its own.
func growIn(
	ctx context.Context, server *stack.Database, dimension string, o *growthOptions,
) (runs []growthRun, err error) {
	sizes := o.sizesOf(dimension)
	steps := make([]*growthStep, len(sizes))
	for i, size := range sizes {
		progress("%s: preparing %d", dimension, size)
		if steps[i], err = newGrowthStep(ctx, server, dimension, size, o); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, steps[i].drop(ctx, server)) }()
	}
	for round, step := range turns(o.rounds, steps) {
		run, err := step.measure(ctx)
		if err != nil {
			return nil, fmt.Errorf("size %d: %w", step.size, err)
		}
		run.Variant, run.Round = dimension, round
		progress("round %d: %s %d: %.1f µs of CPU each", round, dimension, step.size, run.cpu())
		runs = append(runs, growthRun{dimension, step.size, run})
	}
	return runs, nil
}

func summarizeGrowth(runs []growthRun, sizes []int) (summary []growthSummary) {
	for _, size := range sizes {
		var rates, worker, postgres, all []float64
		s := growthSummary{Size: size}
		for _, run := range runs {
			if run.Size != size {
				continue
			}
			s.Dimension = run.Dimension
			rates, all = append(rates, run.PerSecond), append(all, run.cpu())
			worker, postgres = append(worker, run.WorkerCPU), append(postgres, run.PostgresCPU)
		}
		s.PerSecond, s.CPU = newSpread(rates), newSpread(all)
		s.WorkerCPU, s.PostgresCPU = median(worker), median(postgres)
		summary = append(summary, s)
	}
	smallest := slices.MinFunc(summary, func(a, b growthSummary) int { return a.Size - b.Size })
	for i := range summary {
		summary[i].Ratio = summary[i].CPU.Median / smallest.CPU.Median
	}
	return summary
}
