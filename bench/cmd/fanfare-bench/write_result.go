package main

import (
	"fmt"
	"io"
	"slices"
)

// writeRun is one measurement of a kind of transaction.
type writeRun struct {
	Kind        string      `json:"kind"`
	Clients     int         `json:"clients"`
	Round       int         `json:"round"`
	Commits     int64       `json:"transactions"`
	PerSecond   float64     `json:"transactions_per_second"`
	Took        percentiles `json:"took"`
	ClientCPU   float64     `json:"client_cpu_us_per_transaction"`
	PostgresCPU float64     `json:"postgres_cpu_us_per_transaction"`
}

func (r writeRun) round() int { return r.Round }

// cpu returns the CPU time of the client and of PostgreSQL, in microseconds per transaction.
func (r writeRun) cpu() float64 { return r.ClientCPU + r.PostgresCPU }

// compareWrites returns the ratios of two loads, each within a round, or nil if one has no runs.
func compareWrites(runs []writeRun, load, base writeLoad, ratio func(run, other writeRun) float64) *spread {
	is := func(l writeLoad) func(writeRun) bool {
		return func(run writeRun) bool { return run.Kind == l.kind && run.Clients == l.clients }
	}
	var ratios []float64
	for run, other := range withinRounds(runs, is(load), is(base)) {
		ratios = append(ratios, ratio(run, other))
	}
	if len(ratios) == 0 {
		return nil
	}
	s := newSpread(ratios)
	return &s
}

// spread is the distribution of a figure over the rounds.
type spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func newSpread(values []float64) spread {
	return spread{median(values), slices.Min(values), slices.Max(values)}
}

// String returns the median with the ends, unless they are equal.
func (s spread) String() string {
	if s.Low == s.High {
		return fmt.Sprintf("%.2f", s.Median)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Low, s.High)
}

// writeSummary summarizes the rounds of a kind with a number of clients. Ratios are within a round.
type writeSummary struct {
	Kind        string       `json:"kind"`
	Clients     int          `json:"clients"`
	PerSecond   spread       `json:"transactions_per_second"`
	P50         milliseconds `json:"p50_ms"`
	P99         milliseconds `json:"p99_ms"`
	ClientCPU   float64      `json:"client_cpu_us_per_transaction"`
	PostgresCPU float64      `json:"postgres_cpu_us_per_transaction"`
	ToChange    *spread      `json:"ratio_to_change,omitempty"`
	ToAudit     *spread      `json:"ratio_to_audit,omitempty"`
	ToBatched   *spread      `json:"ratio_to_audit_batched,omitempty"`
	ToOwn       *spread      `json:"ratio_to_outbox_by_hand,omitempty"`
	ToRiver     *spread      `json:"ratio_to_river_audit,omitempty"`
}

type writeResult struct {
	Machine machine        `json:"machine"`
	Fsync   bool           `json:"fsync"`
	Checks  string         `json:"checks"` // of the recording
	Runs    []writeRun     `json:"runs"`
	Summary []writeSummary `json:"summary"`
}

func (r *writeResult) table(w io.Writer) {
	durable := "fsync"
	if !r.Fsync {
		durable = "no fsync"
	}
	row(w, durable, "clients", "transactions/s", "from", "to", "p50", "p99", "CPU µs each:", "client", "postgres",
		"of change", "of audit", "of audit-batched", "of outbox-by-hand", "of river-audit")
	optional := func(s *spread) string {
		if s == nil {
			return ""
		}
		return s.String()
	}
	for _, s := range r.Summary {
		row(w, s.Kind, s.Clients, fmt.Sprintf("%.0f", s.PerSecond.Median), fmt.Sprintf("%.0f", s.PerSecond.Low),
			fmt.Sprintf("%.0f", s.PerSecond.High), s.P50, s.P99, "", fmt.Sprintf("%.0f", s.ClientCPU),
			fmt.Sprintf("%.0f", s.PostgresCPU), optional(s.ToChange), optional(s.ToAudit), optional(s.ToBatched),
			optional(s.ToOwn), optional(s.ToRiver))
	}
	row(w)
	row(w, "checked", r.Checks)
}

func (r *writeResult) summarize(o *writeOptions) {
	rates := func(kind string, clients int) (list []float64) {
		for _, run := range r.Runs {
			if run.Kind == kind && run.Clients == clients {
				list = append(list, run.PerSecond)
			}
		}
		return list
	}
	ratio := func(kind, base string, clients int) *spread {
		if kind == base {
			return nil
		}
		rate := func(run, other writeRun) float64 { return run.PerSecond / other.PerSecond }
		return compareWrites(r.Runs, writeLoad{kind, clients}, writeLoad{base, clients}, rate)
	}
	of := func(kind string, clients int, figure func(writeRun) float64) float64 {
		var list []float64
		for _, run := range r.Runs {
			if run.Kind == kind && run.Clients == clients {
				list = append(list, figure(run))
			}
		}
		return median(list)
	}
	for _, clients := range o.clients {
		for _, kind := range o.kinds {
			r.Summary = append(r.Summary, writeSummary{
				Kind: kind, Clients: clients, PerSecond: newSpread(rates(kind, clients)),
				P50: milliseconds(
					of(kind, clients, func(run writeRun) float64 { return float64(run.Took.P50) }),
				),
				P99: milliseconds(
					of(kind, clients, func(run writeRun) float64 { return float64(run.Took.P99) }),
				),
				ClientCPU:   of(kind, clients, func(run writeRun) float64 { return run.ClientCPU }),
				PostgresCPU: of(kind, clients, func(run writeRun) float64 { return run.PostgresCPU }),
				ToChange:    ratio(kind, changeAlone, clients),
				ToAudit:     ratio(kind, auditRow, clients), ToBatched: ratio(kind, auditBatched, clients),
				ToOwn: ratio(kind, ownOutbox, clients), ToRiver: ratio(kind, riverAudited, clients),
			})
		}
	}
}
