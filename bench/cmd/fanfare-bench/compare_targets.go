package main

import (
	"fmt"
	"slices"
)

// targetRow is a line of the comparison.
type targetRow struct {
	What  string  `json:"what"`
	This  string  `json:"this"`  // Fanfare's figure, with its unit
	Other string  `json:"other"` // the figure that it is compared with; "" if there is none
	Ratio *spread `json:"ratio,omitempty"`
	CPU   *spread `json:"cpu_ratio,omitempty"` // of the CPU times; above 1, Fanfare takes less

	Target string  `json:"target,omitempty"` // "" if there is none
	Judged float64 `json:"judged,omitempty"` // the figure that is compared with the target
	Met    bool    `json:"met"`
}

func (t targetRow) cells() []any {
	ratio := func(s *spread) string {
		if s == nil {
			return ""
		}
		return s.String()
	}
	met := ""
	switch {
	case t.Target != "" && t.Met:
		met = "met"
	case t.Target != "":
		met = "missed"
	}
	return []any{t.What, t.This, t.Other, ratio(t.Ratio), ratio(t.CPU), t.Target, met}
}

// atLeast sets a target that the figure must reach.
func (t *targetRow) atLeast(judged, target float64) {
	t.Target, t.Judged, t.Met = fmt.Sprintf("≥ %g", target), judged, judged >= target
}

// below sets a target that the figure must not reach.
func (t *targetRow) below(judged, target float64, unit string) {
	t.Target, t.Judged, t.Met = fmt.Sprintf("< %g%s", target, unit), judged, judged < target
}

// The targets.
const (
	drainToConsumer      = 1.0 // of the faster of Centrifugo's two consumers
	drainInboxToConsumer = 0.85
	drainToNoOp          = 1.0 // of River's no-op jobs
	drainToLoop          = 20
	sameJobTarget        = 1.0 // of the CPU time
	writeToAudit         = 0.8
	writeToOwn           = 0.9
	writeToRiver         = 1.0
	idleOfOne            = 1.0 // percent of a core
	idleOfSixteen        = 3.0
	latencyToCommit      = 2.5 // p99 from the commit to the socket, of the p99 of commits
	wideMemory           = 200 // megabytes
	wideOthers           = 1.5 // p99 of others, meanwhile and alone
	fairnessOthers       = 2.0
	growthOfTables       = 1.5 // CPU time with the most rows, of that with the fewest
)

// rows returns the lines of the comparison.
func (r *compareResult) rows() (rows []targetRow) {
	if r.Peers != nil {
		rows = append(rows, drainRows(r.Peers)...)
	}
	if r.SameJob != nil {
		rows = append(rows, sameJobRows(r.SameJob)...)
	}
	if r.Write != nil {
		rows = append(rows, writeRows(r.Write)...)
	}
	if r.Idle != nil {
		rows = append(rows, idleRows(r.Idle)...)
	}
	if len(r.Latency) > 0 {
		rows = append(rows, latencyRow(r.Latency))
	}
	if r.Wide != nil {
		rows = append(rows, wideRows(r.Wide)...)
	}
	if r.Fairness != nil {
		rows = append(rows, fairnessRow(r.Fairness))
	}
	if r.Growth != nil {
		rows = append(rows, growthRows(r.Growth)...)
	}
	return rows
}

// perSecond formats a rate with the name of what is done.
func perSecond(c contender) string { return fmt.Sprintf("%.0f/s", c.PerSecond.Median) }

func named(contenders []contender, name string) (contender, bool) {
	i := slices.IndexFunc(contenders, func(c contender) bool { return c.Name == name })
	if i < 0 {
		return contender{}, false
	}
	return contenders[i], true
}

// comparison returns the line of two contenders. ok is false if one was not measured.
func comparison(what string, runs []drainRun, all []contender, ours, other string) (t targetRow, ok bool) {
	mine, measured := named(all, ours)
	theirs, theirsMeasured := named(all, other)
	rate, cpu, both := compareRuns(runs, ours, other)
	if !measured || !theirsMeasured || !both {
		return t, false
	}
	return targetRow{
		What: fmt.Sprintf("%s: %s / %s", what, ours, other), This: perSecond(mine), Other: perSecond(theirs),
		Ratio: &rate, CPU: &cpu,
	}, true
}

func drainRows(p *peersResult) (rows []targetRow) {
	faster, best := "", 0.0
	for _, name := range []string{consumerV6, consumerV5} {
		if c, ok := named(p.Summary, name); ok && c.PerSecond.Median > best {
			faster, best = name, c.PerSecond.Median
		}
	}
	targets := map[[2]string]float64{
		{fanfareAlone, faster}:    drainToConsumer,
		{fanfareInbox, faster}:    drainInboxToConsumer,
		{fanfareAlone, riverNoOp}: drainToNoOp,
		{fanfareAlone, ownLoop}:   drainToLoop,
	}
	for _, ours := range []string{fanfareAlone, fanfareInbox} {
		for _, other := range []string{consumerV6, consumerV5, riverNoOp, riverJobs, ownLoop} {
			t, ok := comparison("drain", p.Runs, p.Summary, ours, other)
			if !ok {
				continue
			}
			if target, ok := targets[[2]string{ours, other}]; ok {
				t.atLeast(t.Ratio.Median, target)
			}
			rows = append(rows, t)
		}
	}
	return rows
}

// sameJobRows compares the CPU times, since the writers also wait for the disk.
func sameJobRows(s *sameJobResult) (rows []targetRow) {
	for _, ours := range []string{viaFanfare, viaFanfareInbox} {
		for _, other := range []string{inApplication, withAudit, viaRiver, viaBroker} {
			t, ok := comparison("change to publication", s.Runs, s.Summary, ours, other)
			if !ok {
				continue
			}
			if ours == viaFanfare && other == inApplication {
				t.atLeast(t.CPU.Median, sameJobTarget)
				t.Target += " of CPU"
			}
			rows = append(rows, t)
		}
	}
	return rows
}

func writeRows(r *writeResult) (rows []targetRow) {
	if len(r.Summary) == 0 {
		return nil
	}
	clients := r.Summary[0].Clients
	of := func(kind string) *writeSummary {
		i := slices.IndexFunc(r.Summary, func(s writeSummary) bool { return s.Kind == kind && s.Clients == clients })
		if i < 0 {
			return nil
		}
		return &r.Summary[i]
	}
	for _, ours := range []string{txActivity, txUnhooked, queued} {
		mine := of(ours)
		if mine == nil {
			continue
		}
		for _, other := range []struct {
			kind   string
			ratio  *spread
			target float64
		}{
			{auditRow, mine.ToAudit, writeToAudit},
			{ownOutbox, mine.ToOwn, writeToOwn},
			{riverAudited, mine.ToRiver, writeToRiver},
		} {
			theirs := of(other.kind)
			if theirs == nil || other.ratio == nil {
				continue
			}
			t := targetRow{
				What:  fmt.Sprintf("write: %s / %s", ours, other.kind),
				This:  fmt.Sprintf("%.0f/s", mine.PerSecond.Median),
				Other: fmt.Sprintf("%.0f/s", theirs.PerSecond.Median),
				Ratio: other.ratio, CPU: compareWriteCPU(r.Runs, clients, ours, other.kind),
			}
			if ours == txActivity {
				t.atLeast(other.ratio.Median, other.target)
			}
			rows = append(rows, t)
		}
	}
	return rows
}

// compareWriteCPU returns the ratio of the CPU times of two kinds within a round; above 1, the
// first takes less.
func compareWriteCPU(runs []writeRun, clients int, kind, base string) *spread {
	cpu := func(run, other writeRun) float64 { return other.cpu() / run.cpu() }
	return compareWrites(runs, writeLoad{kind, clients}, writeLoad{base, clients}, cpu)
}

func idleRows(r *idleResult) (rows []targetRow) {
	for _, s := range r.Summary {
		if s.Workers == 0 {
			continue
		}
		t := targetRow{
			What: fmt.Sprintf("idle: %d workers", s.Workers),
			This: fmt.Sprintf("%.1f %% of a core, %.0f statements/s", s.All.Median, s.Statements.Median),
		}
		switch s.Workers {
		case 1:
			t.below(s.All.Median, idleOfOne, " %")
		case 16:
			t.below(s.All.Median, idleOfSixteen, " %")
		}
		rows = append(rows, t)
	}
	return rows
}

func latencyRow(results []*latencyResult) targetRow {
	var ratios []float64
	var sent, commits []milliseconds
	for _, r := range results {
		ratios = append(ratios, float64(r.Sent.P99/r.Commits.P99))
		sent, commits = append(sent, r.Sent.P99), append(commits, r.Commits.P99)
	}
	ratio := newSpread(ratios)
	t := targetRow{
		What: "p99 from COMMIT to the socket / of COMMIT", This: median(sent).String(), Other: median(commits).String(),
		Ratio: &ratio,
	}
	t.below(ratio.Median, latencyToCommit, "")
	return t
}

func wideRows(r *wideResult) []targetRow {
	const megabyte = 1 << 20
	duration := targetRow{
		What: fmt.Sprintf("wide: %d watchers", r.Watchers),
		This: fmt.Sprintf("%.0f s, %d MB of memory", r.Seconds, r.Peak/megabyte),
	}
	duration.below(float64(r.Peak)/megabyte, wideMemory, " MB")
	others := targetRow{
		What: "wide: p99 of others, meanwhile / alone",
		This: r.During.Sent.P99.String(), Other: r.Alone.Sent.P99.String(),
		Ratio: &spread{r.P99Ratio, r.P99Ratio, r.P99Ratio},
	}
	others.below(r.P99Ratio, wideOthers, "")
	return []targetRow{duration, others}
}

func fairnessRow(r *fairnessResult) targetRow {
	alone, during := r.p99s()
	t := targetRow{
		What: fmt.Sprintf("p99 of others beside %d activities of a tenant / alone", r.Surge),
		This: during.String(), Other: alone.String(), Ratio: &r.P99,
	}
	t.below(r.P99.Median, fairnessOthers, "")
	return t
}

// growthRows compares the largest size of each dimension with the smallest. Rows of tables have a
// target, since indexes find those that a delivery needs; ancestors and patterns have none, since
// each is read.
func growthRows(r *growthResult) (rows []targetRow) {
	for _, dimension := range dimensionNames() {
		smallest, largest, ok := r.ends(dimension)
		if !ok {
			continue
		}
		of := func(size int) func(growthRun) bool {
			return func(run growthRun) bool { return run.Dimension == dimension && run.Size == size }
		}
		var ratios []float64
		for run, base := range withinRounds(r.Runs, of(largest.Size), of(smallest.Size)) {
			ratios = append(ratios, run.cpu()/base.cpu())
		}
		ratio := newSpread(ratios)
		t := targetRow{
			What:  fmt.Sprintf("growth: %s, %d / %d", dimension, largest.Size, smallest.Size),
			This:  fmt.Sprintf("%.1f µs of CPU", largest.CPU.Median),
			Other: fmt.Sprintf("%.1f µs of CPU", smallest.CPU.Median), Ratio: &ratio,
		}
		if dimension != depthOfTree && dimension != patternsOfPeople {
			t.below(ratio.Median, growthOfTables, "")
		}
		rows = append(rows, t)
	}
	return rows
}
