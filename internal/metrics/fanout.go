package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Fanout counts recipients, notifications and publications. It implements fanout.Observer.
//
// A batch that is rolled back and delivered again is counted each time.
type Fanout struct {
	recipients    prometheus.Histogram
	publications  prometheus.Counter
	notifications prometheus.Counter
	violations    prometheus.Counter
	tooDeep       prometheus.Counter
	dropped       *prometheus.CounterVec
}

// NewFanout registers the collectors.
func NewFanout(registry prometheus.Registerer) *Fanout {
	f := &Fanout{
		recipients: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanfare_activity_recipients",
			Help:    "Recipients of an activity, or of one step of a fan-out job.",
			Buckets: []float64{0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000},
		}),
		publications: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_publications_total",
			Help: "Publications to Centrifugo, one per activity and channel.",
		}),
		notifications: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_notifications_total",
			Help: "Notifications inserted into inboxes.",
		}),
		violations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_taxonomy_violations_total",
			Help: "Delivered activities that violate the taxonomy, in tenants with the enforcement mode warn.",
		}),
		tooDeep: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_too_deep_activities_total",
			Help: fmt.Sprintf("Delivered activities of resources with more than %d ancestors, "+
				"of which the highest do not count.", directory.MaxDepth),
		}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_candidates_dropped_total",
			Help: "Candidates that are no recipients, by stage: actor, group, inactive, permission, muted_actor, " +
				"muted_action, level_ignore, level_participating, level_custom, muted or filtered.",
		}, []string{"stage"}),
	}
	f.drop(fanout.Dropped{})
	registry.MustRegister(f.recipients, f.publications, f.notifications, f.violations, f.tooDeep, f.dropped)
	return f
}

// Observe counts one batch or step.
func (f *Fanout) Observe(r fanout.Report) {
	for _, n := range r.Recipients {
		f.recipients.Observe(float64(n))
	}
	f.publications.Add(float64(r.Publications))
	f.notifications.Add(float64(r.InboxRows))
	f.violations.Add(float64(r.Violations))
	f.tooDeep.Add(float64(r.TooDeep))
	f.drop(r.Dropped)
}

func (f *Fanout) drop(d fanout.Dropped) {
	for stage, n := range map[string]int{
		"actor": d.Actor, "group": d.Group, "inactive": d.Inactive, "permission": d.Permission,
		"muted_actor": d.MutedActor, "muted_action": d.MutedAction, "muted": d.Muted, "filtered": d.Filtered,
		"level_ignore": d.Ignored, "level_participating": d.NotParticipating, "level_custom": d.NotInLevel,
	} {
		f.dropped.WithLabelValues(stage).Add(float64(n))
	}
}
