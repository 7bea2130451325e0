package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/activity"
)

// RegisterRecords shows what has become of what the process itself records; stats is
// activity.BestEffort.Stats.
func RegisterRecords(registry prometheus.Registerer, stats func() activity.BestEffortStats) {
	registry.MustRegister(records{stats})
}

var (
	recordsTotal = prometheus.NewDesc(
		"fanfare_records_total",
		"Activities of the process's own that stand, by the result: created, or stood when they did already.",
		[]string{"result"},
		nil,
	)
	recordsDropped = prometheus.NewDesc(
		"fanfare_records_dropped_total",
		"Activities of the process's own that were not recorded, by the reason: full, invalid, vetoed, failed or stopped.",
		[]string{"reason"},
		nil,
	)
	recordsWaiting = describe("fanfare_records_waiting", "Activities of the process's own that wait to be recorded.")
)

// records is a prometheus.Collector.
type records struct {
	stats func() activity.BestEffortStats
}

// Describe names the metrics.
func (records) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{recordsTotal, recordsDropped, recordsWaiting} {
		ch <- d
	}
}

// Collect gives their values.
func (r records) Collect(ch chan<- prometheus.Metric) {
	s := r.stats()
	counter := func(d *prometheus.Desc, label string, n uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), label)
	}
	counter(recordsTotal, "created", s.Recorded)
	counter(recordsTotal, "stood", s.Stood)
	counter(recordsDropped, "full", s.Dropped.Full)
	counter(recordsDropped, "invalid", s.Dropped.Invalid)
	counter(recordsDropped, "vetoed", s.Dropped.Vetoed)
	counter(recordsDropped, "failed", s.Dropped.Failed)
	counter(recordsDropped, "stopped", s.Dropped.Stopped)
	ch <- prometheus.MustNewConstMetric(recordsWaiting, prometheus.GaugeValue, float64(s.Waiting))
}
