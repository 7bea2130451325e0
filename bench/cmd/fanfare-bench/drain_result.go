package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// drainRun is one measured drain.
type drainRun struct {
	Variant       string      `json:"variant"`
	Round         int         `json:"round"`
	Seconds       float64     `json:"seconds"`
	PerSecond     float64     `json:"activities_per_second"`
	Deliveries    float64     `json:"deliveries_per_second"`
	Publications  int64       `json:"publications"`
	InboxRows     int64       `json:"inbox_rows"`
	WorkerCPU     float64     `json:"worker_cpu_us_per_activity"`
	PostgresCPU   float64     `json:"postgres_cpu_us_per_activity"`
	CentrifugoCPU float64     `json:"centrifugo_cpu_us_per_activity"`
	Statements    []statement `json:"statements,omitempty"`
}

func (r *drainRun) fill(variant string, activities int, took time.Duration, used stack.CPU) {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(activities) }
	r.Variant, r.Seconds, r.PerSecond = variant, took.Seconds(), float64(activities)/took.Seconds()
	r.WorkerCPU, r.PostgresCPU, r.CentrifugoCPU = each(used.Self), each(used.Postgres), each(used.Centrifugo)
}

type drainResult struct {
	Machine    machine            `json:"machine"`
	Activities int                `json:"activities"`
	Watchers   int                `json:"watchers"`
	Worker     workerFlags        `json:"worker"`
	Runs       []drainRun         `json:"runs"`
	Medians    map[string]float64 `json:"median_activities_per_second"`
	Ratios     map[string]float64 `json:"ratio_to_consumer,omitempty"`
}

// summarize fills the medians of the rates, and their ratios to that of the consumer.
func (r *drainResult) summarize() {
	rates := map[string][]float64{}
	for _, run := range r.Runs {
		rates[run.Variant] = append(rates[run.Variant], run.PerSecond)
	}
	r.Medians, r.Ratios = map[string]float64{}, map[string]float64{}
	for variant, values := range rates {
		r.Medians[variant] = median(values)
	}
	if base := r.Medians[consumer]; base > 0 {
		for variant, value := range r.Medians {
			r.Ratios[variant] = value / base
		}
	}
}

func (r *drainResult) table(w io.Writer) {
	row(w, "variant", "seconds", "activities/s", "deliveries/s", "publications", "inbox rows",
		"CPU µs each:", "worker", "postgres", "centrifugo", "sum")
	for _, run := range r.Runs {
		row(w, run.Variant, fmt.Sprintf("%.2f", run.Seconds), fmt.Sprintf("%.0f", run.PerSecond),
			fmt.Sprintf("%.0f", run.Deliveries), run.Publications, run.InboxRows, "",
			fmt.Sprintf("%.1f", run.WorkerCPU), fmt.Sprintf("%.1f", run.PostgresCPU),
			fmt.Sprintf("%.1f", run.CentrifugoCPU), fmt.Sprintf("%.1f", run.cpu()))
	}
	names := slices.Clone(variants)
	for _, v := range variants {
		names = append(names, v+byHTTP, v+inGroups, v+byHTTP+inGroups)
	}
	for _, v := range names {
		median, ok := r.Medians[v]
		if !ok {
			continue
		}
		cells := []any{"median " + v, "", fmt.Sprintf("%.0f", median)}
		if ratio, ok := r.Ratios[v]; ok && v != consumer {
			cells = append(cells, fmt.Sprintf("%.2f of consumer", ratio))
		}
		row(w, cells...)
	}
	for _, run := range r.Runs {
		showStatements(w, run.Variant, run.Statements)
	}
}
