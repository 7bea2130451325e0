package main

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// ran returns a run with a rate and CPU times.
func ran(variant string, round int, perSecond, cpu float64) drainRun {
	return drainRun{Variant: variant, Round: round, PerSecond: perSecond, WorkerCPU: cpu / 2, PostgresCPU: cpu / 2}
}

func TestInTurnsBeginsEachRoundWithAnotherVariant(t *testing.T) {
	t.Parallel()
	var order []string
	runs, err := inTurns(t.Context(), 3, []string{"a", "b"}, func(_ context.Context, variant string) (drainRun, error) {
		order = append(order, variant)
		return drainRun{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "b", "a", "a", "b"}; !slices.Equal(order, want) {
		t.Errorf("got the order %v, want %v", order, want)
	}
	if got := runs[3]; got.Variant != "a" || got.Round != 2 {
		t.Errorf("got variant %q of round %d, want a of round 2", got.Variant, got.Round)
	}
}

func TestInTurnsNamesTheVariantThatFailed(t *testing.T) {
	t.Parallel()
	failed := errors.New("no server")
	_, err := inTurns(t.Context(), 1, []string{"a"}, func(context.Context, string) (drainRun, error) {
		return drainRun{}, failed
	})
	if !errors.Is(err, failed) || err.Error() != "a: no server" {
		t.Errorf("got %v, want a: no server", err)
	}
}

func TestTurnsEndWithTheLoop(t *testing.T) {
	t.Parallel()
	var rounds []int
	for round := range turns(3, []string{"a", "b"}) {
		if rounds = append(rounds, round); len(rounds) == 3 {
			break
		}
	}
	if want := []int{1, 1, 2}; !slices.Equal(rounds, want) {
		t.Errorf("got the rounds %v, want %v", rounds, want)
	}
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	runs := []drainRun{ran("a", 1, 100, 10), ran("b", 1, 50, 40), ran("a", 2, 300, 20), ran("a", 3, 200, 30)}
	got := summarize(runs, []string{"a", "b", "c"})
	if len(got) != 2 {
		t.Fatalf("got %d contenders, want 2: c has no runs", len(got))
	}
	if want := (spread{200, 100, 300}); got[0].PerSecond != want {
		t.Errorf("got the rates %v of a, want %v", got[0].PerSecond, want)
	}
	if want := (spread{20, 10, 30}); got[0].CPU != want || got[0].OwnCPU != 10 {
		t.Errorf("got the CPU times %v and %v of a, want %v and 10", got[0].CPU, got[0].OwnCPU, want)
	}
}

func TestCompareRunsIsWithinRounds(t *testing.T) {
	t.Parallel()
	runs := []drainRun{
		ran("a", 1, 100, 10), ran("b", 1, 50, 40), ran("a", 2, 30, 20), ran("b", 2, 60, 10), ran("a", 3, 80, 10),
	}
	rate, cpu, ok := compareRuns(runs, "a", "b")
	if want := (spread{2, 0.5, 2}); !ok || rate != want {
		t.Errorf("got the ratio %v, %v, want %v", rate, ok, want)
	}
	if want := (spread{4, 0.5, 4}); cpu != want {
		t.Errorf("got the CPU ratio %v, want %v", cpu, want)
	}
	if _, _, ok := compareRuns(runs, "a", "c"); ok {
		t.Error("got a ratio to a variant without runs")
	}
}

func TestSpreadString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spread spread
		want   string
	}{
		{spread{1.25, 1, 2}, "1.25 (1.00–2.00)"},
		{spread{1.25, 1.25, 1.25}, "1.25"},
	} {
		if got := c.spread.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
