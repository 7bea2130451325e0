package metrics

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/activity/retention"
)

// Retention counts the rows that retention removes. It implements retention.Observer. Each process
// counts its own runs.
type Retention struct {
	removed    *prometheus.CounterVec
	partitions prometheus.Counter
	skipped    prometheus.Counter
	runs       *prometheus.CounterVec
	duration   prometheus.Histogram
	lastRun    prometheus.Gauge
}

// NewRetention registers the collectors.
func NewRetention(registry prometheus.Registerer) *Retention {
	r := &Retention{
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_retention_removed_total",
			Help: "Rows removed because they expired, by kind; parked activities become dead letters.",
		}, []string{"kind"}),
		partitions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_retention_partitions_dropped_total",
			Help: "Partitions of the activity log dropped because all their rows had expired.",
		}),
		skipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_retention_partitions_skipped_total",
			Help: "Expired partitions not dropped because the activity log was locked.",
		}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_retention_runs_total",
			Help: "Runs of retention in this process, by result: completed, canceled or failed.",
		}, []string{"result"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_retention_run_duration_seconds",
			Help:    "Duration of a run of retention.",
			Buckets: []float64{.1, .5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600},
		}),
		lastRun: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "fanfare_retention_last_run_timestamp_seconds",
			Help: "Unix time of the last completed run of retention in this process; 0 before the first.",
		}),
	}
	r.count(retention.Counts{})
	for _, result := range []string{"completed", "canceled", "failed"} {
		r.runs.WithLabelValues(result)
	}
	registry.MustRegister(r.removed, r.partitions, r.skipped, r.runs, r.duration, r.lastRun)
	return r
}

// Observe counts one run.
func (r *Retention) Observe(report retention.Report) {
	r.count(report.Removed)
	r.partitions.Add(float64(len(report.Partitions)))
	r.skipped.Add(float64(len(report.Busy)))
	r.duration.Observe(report.Took.Seconds())
	switch {
	case report.Err == nil:
		r.runs.WithLabelValues("completed").Inc()
		r.lastRun.SetToCurrentTime()
	case errors.Is(report.Err, context.Canceled):
		r.runs.WithLabelValues("canceled").Inc()
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
