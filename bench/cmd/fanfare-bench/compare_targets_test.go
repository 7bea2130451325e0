package main

import (
	"slices"
	"testing"

	"github.com/spf13/pflag"
)

// find returns the line of a comparison.
func find(t *testing.T, rows []targetRow, what string) targetRow {
	t.Helper()
	i := slices.IndexFunc(rows, func(r targetRow) bool { return r.What == what })
	if i < 0 {
		t.Fatalf("got no line %q in %+v", what, rows)
	}
	return rows[i]
}

func TestDrainIsComparedWithTheFasterConsumer(t *testing.T) {
	t.Parallel()
	runs := []drainRun{
		ran(fanfareAlone, 1, 100, 10), ran(fanfareInbox, 1, 80, 10),
		ran(consumerV6, 1, 90, 10), ran(consumerV5, 1, 110, 10),
		ran(riverNoOp, 1, 50, 10), ran(ownLoop, 1, 4, 10),
	}
	rows := drainRows(&peersResult{Runs: runs, Summary: summarize(runs, peerNames())})
	for _, c := range []struct {
		what, target string
		met          bool
	}{
		{"drain: fanfare / consumer-v6", "", false},
		{"drain: fanfare / consumer-v5", "≥ 1", false},
		{"drain: fanfare-inbox / consumer-v5", "≥ 0.85", false},
		{"drain: fanfare / river-noop", "≥ 1", true},
		{"drain: fanfare / loop", "≥ 20", true},
		{"drain: fanfare-inbox / loop", "", false},
	} {
		if got := find(t, rows, c.what); got.Target != c.target || got.Met != c.met {
			t.Errorf("%s: got the target %q, met %v, want %q, %v", c.what, got.Target, got.Met, c.target, c.met)
		}
	}
}

func TestSameJobIsJudgedByCPUTime(t *testing.T) {
	t.Parallel()
	runs := []drainRun{ran(viaFanfare, 1, 100, 10), ran(inApplication, 1, 200, 12)}
	rows := sameJobRows(&sameJobResult{Runs: runs, Summary: summarize(runs, wayNames())})
	if len(rows) != 1 {
		t.Fatalf("got %d lines, want 1: the others were not measured", len(rows))
	}
	if got := rows[0]; got.Target != "≥ 1 of CPU" || !got.Met || got.Judged != 1.2 {
		t.Errorf("got the target %q, met %v at %v, want ≥ 1 of CPU, met at 1.2", got.Target, got.Met, got.Judged)
	}
}

func TestWriteRatiosAreWithinRounds(t *testing.T) {
	t.Parallel()
	runs := []writeRun{
		{Kind: txActivity, Clients: 8, Round: 1, ClientCPU: 10, PostgresCPU: 10},
		{Kind: auditRow, Clients: 8, Round: 1, ClientCPU: 5, PostgresCPU: 5},
		{Kind: auditRow, Clients: 4, Round: 1, ClientCPU: 50, PostgresCPU: 50},
		{Kind: auditRow, Clients: 8, Round: 2, ClientCPU: 70, PostgresCPU: 5},
	}
	got, want := compareWriteCPU(runs, 8, txActivity, auditRow), spread{0.5, 0.5, 0.5}
	if got == nil || *got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestGrowthIsJudgedByTheRowsOfTables(t *testing.T) {
	t.Parallel()
	var result growthResult
	add := func(dimension string, sizes []int, runs ...growthRun) {
		for i := range runs {
			runs[i].Dimension = dimension
		}
		result.Runs = append(result.Runs, runs...)
		result.Summary = append(result.Summary, summarizeGrowth(runs, sizes)...)
	}
	grown := func(size, round int, cpu float64) growthRun {
		return growthRun{Size: size, drainRun: ran("", round, 1, cpu)}
	}
	add(recordedInLog, []int{1000, 10},
		grown(1000, 1, 10), grown(10, 1, 8), grown(1000, 2, 40), grown(10, 2, 20))
	add(depthOfTree, []int{2, 8}, grown(2, 1, 10), grown(8, 1, 50))
	add(subscribed, []int{10}, grown(10, 1, 10))
	rows := growthRows(&result)
	if len(rows) != 2 {
		t.Fatalf("got %d lines, want 2: subscriptions have one size", len(rows))
	}
	log := find(t, rows, "growth: log, 1000 / 10")
	if want := (spread{2, 1.25, 2}); *log.Ratio != want || log.Target != "< 1.5" || log.Met {
		t.Errorf("got the ratio %v, target %q, met %v; want %v, < 1.5, missed", log.Ratio, log.Target, log.Met, want)
	}
	if got := find(t, rows, "growth: depth, 8 / 2"); got.Target != "" {
		t.Errorf("got the target %q of the depth, want none", got.Target)
	}
}

func TestShortFormsAreFlagsOfTheirParts(t *testing.T) {
	t.Parallel()
	options := map[string]interface{ flags(flags *pflag.FlagSet) }{
		peersPart: &peersOptions{}, sameJobPart: &sameJobOptions{}, writePart: &writeOptions{},
		idlePart: &idleOptions{}, latencyPart: &latencyOptions{}, widePart: &wideOptions{},
		fairnessPart: &fairnessOptions{}, growthPart: &growthOptions{},
	}
	for _, part := range partNames() {
		flags := pflag.NewFlagSet(part, pflag.ContinueOnError)
		options[part].flags(flags)
		if err := flags.Parse(shortForms[part]); err != nil {
			t.Errorf("%s: %v", part, err)
		}
	}
}
