package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/outbox"
)

// Outbox counts what is claimed and what becomes of it. It is an outbox.Observer.
type Outbox struct {
	batchSize    prometheus.Histogram
	claimTime    prometheus.Histogram
	latency      prometheus.Histogram
	retries      prometheus.Counter
	behind       prometheus.Counter
	dead         prometheus.Counter
	rolledBack   *prometheus.CounterVec
	jobs         prometheus.Counter
	steps        prometheus.Counter
	stepWatchers prometheus.Counter
}

// NewOutbox registers the collectors.
func NewOutbox(registry prometheus.Registerer) *Outbox {
	o := &Outbox{
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_claim_batch_size",
			Help:    "Activities taken by a claim that took any.",
			Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000},
		}),
		claimTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_claim_duration_seconds",
			Help:    "From the beginning of a claim that took any activity to its commit.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_delivery_latency_seconds",
			Help:    "From the recording of an activity to the commit that says it is delivered. Its count is that of deliveries.",
			Buckets: []float64{.005, .01, .02, .03, .05, .075, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200},
		}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_retries_total",
			Help: "Activities parked for another try because they failed.",
		}),
		behind: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_parked_behind_total",
			Help: "Activities parked because an earlier one of their resource is.",
		}),
		dead: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_dead_letters_total",
			Help: "Activities given up.",
		}),
		rolledBack: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_batches_rolled_back_total",
			Help: "Claims and fan-out steps rolled back: unavailable when PostgreSQL or Centrifugo was away, error otherwise.",
		}, []string{"reason"}),
		jobs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_fan_out_jobs_total",
			Help: "Activities whose audience was so wide that they became fan-out jobs.",
		}),
		steps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_fan_out_steps_total",
			Help: "Steps of fan-out jobs that were done.",
		}),
		stepWatchers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_fan_out_recipients_total",
			Help: "Watchers told by steps of fan-out jobs.",
		}),
	}
	for _, reason := range []string{"unavailable", "error"} {
		o.rolledBack.WithLabelValues(reason)
	}
	registry.MustRegister(
		o.batchSize,
		o.claimTime,
		o.latency,
		o.retries,
		o.behind,
		o.dead,
		o.rolledBack,
		o.jobs,
		o.steps,
		o.stepWatchers,
	)
	return o
}

// Observe counts one claim or step.
func (o *Outbox) Observe(r outbox.Report) {
	o.dead.Add(float64(r.Dead))
	if r.Err != nil {
		reason := "error"
		if errors.Is(r.Err, outbox.ErrUnavailable) {
			reason = "unavailable"
		}
		o.rolledBack.WithLabelValues(reason).Inc()
		return
	}
	now := time.Now()
	for _, recordedAt := range r.Delivered {
		o.latency.Observe(max(now.Sub(recordedAt), 0).Seconds())
	}
	if r.Step {
		o.steps.Inc()
		o.stepWatchers.Add(float64(r.Told))
		return
	}
	o.batchSize.Observe(float64(r.Claimed))
	o.claimTime.Observe(r.Took.Seconds())
	o.retries.Add(float64(r.Retried))
	o.behind.Add(float64(r.Behind))
	o.jobs.Add(float64(r.Jobs))
}
