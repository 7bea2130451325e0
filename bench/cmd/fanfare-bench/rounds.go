package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// turns yields each variant once per round, with the number of the round, from 1 on. Each round
// starts with another variant, so that none always runs first.
func turns[T any](rounds int, variants []T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for round := range rounds {
			for i := range variants {
				if !yield(round+1, variants[(i+round)%len(variants)]) {
					return
				}
			}
		}
	}
}

// inTurns measures each variant once per round.
func inTurns(
	ctx context.Context,
	rounds int,
	variants []string,
	measure func(ctx context.Context, variant string) (drainRun, error),
) (runs []drainRun, err error) {
	for round, variant := range turns(rounds, variants) {
		run, err := measure(ctx, variant)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", variant, err)
		}
		run.Variant, run.Round = variant, round
		progress("round %d: %s: %.0f/s, %.0f µs of CPU each", round, variant, run.PerSecond, run.cpu())
		runs = append(runs, run)
	}
	return runs, nil
}

// withinRounds yields the pairs of runs of a round, of which the first is one and the second is
// another.
func withinRounds[R interface{ round() int }](runs []R, one, another func(R) bool) iter.Seq2[R, R] {
	return func(yield func(R, R) bool) {
		for _, run := range runs {
			for _, other := range runs {
				if one(run) && another(other) && run.round() == other.round() && !yield(run, other) {
					return
				}
			}
		}
	}
}

func (r drainRun) round() int { return r.Round }

// cpu returns the CPU time of all processes, in microseconds per activity.
func (r drainRun) cpu() float64 { return r.WorkerCPU + r.PostgresCPU + r.CentrifugoCPU }

// contender summarizes the rounds of a variant. CPU times are microseconds per activity.
type contender struct {
	Name          string  `json:"name"`
	PerSecond     spread  `json:"per_second"`
	OwnCPU        float64 `json:"own_cpu_us"`
	PostgresCPU   float64 `json:"postgres_cpu_us"`
	CentrifugoCPU float64 `json:"centrifugo_cpu_us"`
	CPU           spread  `json:"cpu_us"`
	Publications  int64   `json:"publications"` // of a run
	InboxRows     int64   `json:"inbox_rows"`
}

// ours reports whether a contender is Fanfare.
func (c contender) ours() bool { return strings.HasPrefix(c.Name, fanfareAlone) }

// summarize returns a contender for each variant that has runs.
func summarize(runs []drainRun, variants []string) (contenders []contender) {
	for _, variant := range variants {
		var rates, own, postgres, centrifugo, all []float64
		c := contender{Name: variant}
		for _, run := range runs {
			if run.Variant != variant {
				continue
			}
			rates, all = append(rates, run.PerSecond), append(all, run.cpu())
			own, postgres = append(own, run.WorkerCPU), append(postgres, run.PostgresCPU)
			centrifugo = append(centrifugo, run.CentrifugoCPU)
			c.Publications, c.InboxRows = run.Publications, run.InboxRows
		}
		if len(rates) == 0 {
			continue
		}
		c.PerSecond, c.CPU = newSpread(rates), newSpread(all)
		c.OwnCPU, c.PostgresCPU, c.CentrifugoCPU = median(own), median(postgres), median(centrifugo)
		contenders = append(contenders, c)
	}
	return contenders
}

// compareRuns returns the ratios of two variants, each within a round: of the rates, and of the CPU
// times, the other way round. Above 1, the first variant is better. ok is false if one has no runs.
func compareRuns(runs []drainRun, variant, base string) (rate, cpu spread, ok bool) {
	is := func(variant string) func(drainRun) bool {
		return func(run drainRun) bool { return run.Variant == variant }
	}
	var rates, times []float64
	for run, other := range withinRounds(runs, is(variant), is(base)) {
		rates = append(rates, run.PerSecond/other.PerSecond)
		if run.cpu() > 0 {
			times = append(times, other.cpu()/run.cpu())
		}
	}
	if len(rates) == 0 || len(times) == 0 {
		return spread{}, spread{}, false
	}
	return newSpread(rates), newSpread(times), true
}

// checkNames returns an error if a flag contains a name that is not known.
func checkNames(flag string, names, known []string) error {
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--%s: got %q, want one of %s", flag, name, strings.Join(known, ", "))
		}
	}
	return nil
}
