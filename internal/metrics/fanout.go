package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/internal/fanout"
)

// Fanout counts who is told. It is a fanout.Observer.
//
// A batch that is rolled back and tried again counts each time.
type Fanout struct {
	width        prometheus.Histogram
	publications prometheus.Counter
	inboxRows    prometheus.Counter
	warned       prometheus.Counter
	dropped      *prometheus.CounterVec
}

// NewFanout registers the collectors.
func NewFanout(registry prometheus.Registerer) *Fanout {
	f := &Fanout{
		width: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_fanout_width",
			Help:    "Watchers told of an activity, or by one step of a fan-out job.",
			Buckets: []float64{0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000},
		}),
		publications: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_publications_total",
			Help: "Channels published to: one per activity and channel.",
		}),
		inboxRows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_inbox_rows_total",
			Help: "Notifications written.",
		}),
		warned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_activities_warned_total",
			Help: "Activities delivered that break the taxonomy of a tenant whose enforcement is warn.",
		}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_watchers_dropped_total",
			Help: "Watchers not told, by the stage that dropped them: actor, inactive, permission, muted or filtered.",
		}, []string{"stage"}),
	}
	f.drop(fanout.Dropped{})
	registry.MustRegister(f.width, f.publications, f.inboxRows, f.warned, f.dropped)
	return f
}

// Observe counts one batch or step.
func (f *Fanout) Observe(r fanout.Report) {
	for _, width := range r.Width {
		f.width.Observe(float64(width))
	}
	f.publications.Add(float64(r.Publications))
	f.inboxRows.Add(float64(r.Inbox))
	f.warned.Add(float64(r.Warned))
	f.drop(r.Dropped)
}

func (f *Fanout) drop(d fanout.Dropped) {
	for stage, n := range map[string]int{
		"actor": d.Actor, "inactive": d.Inactive, "permission": d.Permission, "muted": d.Muted, "filtered": d.Filtered,
	} {
		f.dropped.WithLabelValues(stage).Add(float64(n))
	}
}
