package metrics

import "github.com/prometheus/client_golang/prometheus"

// Inbox counts the notifications whose snooze has ended.
type Inbox struct{ returned prometheus.Counter }

// NewInbox registers the collector.
func NewInbox(registry prometheus.Registerer) *Inbox {
	i := &Inbox{prometheus.NewCounter(prometheus.CounterOpts{
		Name: "fanfare_notifications_returned_total",
		Help: "Notifications whose snooze this process has ended.",
	})}
	registry.MustRegister(i.returned)
	return i
}

// Observe counts returned notifications.
func (i *Inbox) Observe(returned int) { i.returned.Add(float64(returned)) }
