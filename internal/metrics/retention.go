package metrics

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/activity/retention"
)

// Retention counts what is removed because it has had its time. It is a retention.Observer. Each
// process counts its own runs.
type Retention struct {
	removed    *prometheus.CounterVec
	partitions prometheus.Counter
	busy       prometheus.Counter
	runs       *prometheus.CounterVec
	duration   prometheus.Histogram
	last       prometheus.Gauge
}

// NewRetention registers the collectors.
func NewRetention(registry prometheus.Registerer) *Retention {
	r := &Retention{
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_retention_removed_total",
			Help: "What was removed because it has had its time; of parked activities, those that became dead letters.",
		}, []string{"kind"}),
		partitions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_retention_partitions_dropped_total",
			Help: "Partitions of the log that were dropped whole.",
		}),
		busy: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_retention_partitions_busy_total",
			Help: "Partitions that might have been dropped whole, had the locks on the log been free.",
		}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_retention_runs_total",
			Help: "Runs of retention in this process: done, stopped when the process was told to stop, or failed.",
		}, []string{"result"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_retention_run_duration_seconds",
			Help:    "How long a run of retention took.",
			Buckets: []float64{.1, .5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600},
		}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "fanfare_retention_last_run_timestamp_seconds",
			Help: "When a run of retention was last done in this process, in Unix time; 0 before the first.",
		}),
	}
	r.count(retention.Counts{})
	for _, result := range []string{"done", "stopped", "failed"} {
		r.runs.WithLabelValues(result)
	}
	registry.MustRegister(r.removed, r.partitions, r.busy, r.runs, r.duration, r.last)
	return r
}

// Observe counts one run.
func (r *Retention) Observe(report retention.Report) {
	r.count(report.Removed)
	r.partitions.Add(float64(len(report.Partitions)))
	r.busy.Add(float64(len(report.Busy)))
	r.duration.Observe(report.Took.Seconds())
	switch {
	case report.Err == nil:
		r.runs.WithLabelValues("done").Inc()
		r.last.SetToCurrentTime()
	case errors.Is(report.Err, context.Canceled):
		r.runs.WithLabelValues("stopped").Inc()
	default:
		r.runs.WithLabelValues("failed").Inc()
	}
}

func (r *Retention) count(c retention.Counts) {
	for kind, n := range map[string]int64{
		"activities": c.Activities, "notifications": c.Notifications, "idempotency_keys": c.IdempotencyKeys,
		"dead_letters": c.DeadLetters, "parked": c.Parked, "service_tokens": c.ServiceTokens,
	} {
		r.removed.WithLabelValues(kind).Add(float64(n))
	}
}
