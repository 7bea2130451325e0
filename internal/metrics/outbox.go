package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/outbox"
)

// Outbox counts claims, steps of fan-out jobs and their outcomes. It implements outbox.Observer.
type Outbox struct {
	claimed        prometheus.Histogram
	claimDuration  prometheus.Histogram
	latency        prometheus.Histogram
	parked         *prometheus.CounterVec
	deadLetters    prometheus.Counter
	rollbacks      *prometheus.CounterVec
	jobs           prometheus.Counter
	steps          prometheus.Counter
	stepRecipients prometheus.Counter
}

// NewOutbox registers the collectors.
func NewOutbox(registry prometheus.Registerer) *Outbox {
	o := &Outbox{
		claimed: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_claim_activities",
			Help:    "Activities per claim that was not empty.",
			Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000},
		}),
		claimDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_claim_duration_seconds",
			Help:    "Time from the start of a claim that was not empty to its commit.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_delivery_latency_seconds",
			Help:    "Time from the recording of an activity to the commit of its delivery.",
			Buckets: []float64{.005, .01, .02, .03, .05, .075, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200},
		}),
		parked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_activities_parked_total",
			Help: "Activities parked, by reason: failed, or blocked by an earlier activity of the resource.",
		}, []string{"reason"}),
		deadLetters: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_dead_letters_total",
			Help: "Activities that became dead letters.",
		}),
		rollbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_rollbacks_total",
			Help: "Claims and steps rolled back, by reason: unavailable (PostgreSQL or Centrifugo) or error.",
		}, []string{"reason"}),
		jobs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_fan_out_jobs_total",
			Help: "Activities with a wide audience that became fan-out jobs.",
		}),
		steps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_fan_out_steps_total",
			Help: "Completed steps of fan-out jobs.",
		}),
		stepRecipients: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_fan_out_recipients_total",
			Help: "Recipients notified by steps of fan-out jobs.",
		}),
	}
	for _, reason := range []string{"unavailable", "error"} {
		o.rollbacks.WithLabelValues(reason)
	}
	for _, reason := range []string{"failed", "blocked"} {
		o.parked.WithLabelValues(reason)
	}
	registry.MustRegister(
		o.claimed, o.claimDuration, o.latency, o.parked, o.deadLetters, o.rollbacks, o.jobs, o.steps, o.stepRecipients,
	)
	return o
}

// Observe counts one claim or one step of a fan-out job.
func (o *Outbox) Observe(r outbox.Report) {
	o.deadLetters.Add(float64(r.DeadLetters))
	if r.Err != nil {
		reason := "error"
		if errors.Is(r.Err, outbox.ErrUnavailable) {
			reason = "unavailable"
		}
		o.rollbacks.WithLabelValues(reason).Inc()
		return
	}
	now := time.Now()
	for _, recordedAt := range r.Delivered {
		o.latency.Observe(max(now.Sub(recordedAt), 0).Seconds())
	}
	if r.Step {
		o.steps.Inc()
		o.stepRecipients.Add(float64(r.Notified))
		return
	}
	o.claimed.Observe(float64(r.Claimed))
	o.claimDuration.Observe(r.Took.Seconds())
	o.parked.WithLabelValues("failed").Add(float64(r.Retried))
	o.parked.WithLabelValues("blocked").Add(float64(r.Blocked))
	o.jobs.Add(float64(r.FanOutJobs))
}
