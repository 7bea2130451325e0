package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/activity/besteffort"
)

// RegisterRecords exports the outcomes of the activities that the process itself records; stats is
// besteffort.Recorder.Stats.
func RegisterRecords(registry prometheus.Registerer, stats func() besteffort.Stats) {
	registry.MustRegister(records{stats})
}

var (
	recordsTotal = prometheus.NewDesc(
		"fanfare_records_total",
		"Activities that the process recorded about itself, by result: created or duplicate.",
		[]string{"result"},
		nil,
	)
	recordsDropped = prometheus.NewDesc(
		"fanfare_records_dropped_total",
		"Activities that the process did not record, by reason: full, invalid, vetoed, failed or stopped.",
		[]string{"reason"},
		nil,
	)
	recordsQueued = describe("fanfare_records_queued", "Activities of the process that are queued for recording.")
)

// records implements prometheus.Collector.
type records struct {
	stats func() besteffort.Stats
}

// Describe implements prometheus.Collector.
func (records) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{recordsTotal, recordsDropped, recordsQueued} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (r records) Collect(ch chan<- prometheus.Metric) {
	s := r.stats()
	counter := func(d *prometheus.Desc, label string, n uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), label)
	}
	counter(recordsTotal, "created", s.Recorded)
	counter(recordsTotal, "duplicate", s.Duplicates)
	counter(recordsDropped, "full", s.Dropped.Full)
	counter(recordsDropped, "invalid", s.Dropped.Invalid)
	counter(recordsDropped, "vetoed", s.Dropped.Vetoed)
	counter(recordsDropped, "failed", s.Dropped.Failed)
	counter(recordsDropped, "stopped", s.Dropped.Stopped)
	ch <- prometheus.MustNewConstMetric(recordsQueued, prometheus.GaugeValue, float64(s.Waiting))
}
