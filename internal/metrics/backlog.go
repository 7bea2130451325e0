package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/outbox"
)

// How long one look at the backlog may take, and how long what it saw is shown again without
// another.
const (
	backlogTimeout = 2 * time.Second
	backlogAge     = 5 * time.Second
)

// BacklogReader counts what is pending; *outbox.Backlog does.
type BacklogReader interface {
	Status(ctx context.Context, tenant uuid.UUID) (outbox.Status, error)
}

// RegisterBacklog shows, at each scrape, what is pending in all tenants. While the database cannot
// be read, fanfare_backlog_readable is 0 and the rest is missing.
func RegisterBacklog(registry prometheus.Registerer, reader BacklogReader) {
	registry.MustRegister(&backlog{reader: reader, now: time.Now})
}

var (
	backlogReadable = describe("fanfare_backlog_readable", "Whether the backlog could be read, 1 or 0.")
	backlogRows     = describe(
		"fanfare_backlog_rows",
		"Activities in the outbox, not counting those parked or being fanned out.",
	)
	backlogSeconds = describe(
		"fanfare_backlog_age_seconds",
		"How long the oldest activity in the outbox has waited; 0 when there is none.",
	)
	backlogParked = describe(
		"fanfare_backlog_parked_rows",
		"Activities parked: waiting for another try, or behind one that does.",
	)
	backlogFailing = describe(
		"fanfare_backlog_failing_rows",
		"Of the activities parked, those that have failed themselves.",
	)
	backlogBroadcasts = describe("fanfare_backlog_fan_out_jobs", "Activities being told to a wide audience.")
	backlogDead       = describe("fanfare_backlog_dead_letters", "Activities given up and not replayed.")
)

func describe(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

// backlog is a prometheus.Collector. Scrapes at the same time share one look.
type backlog struct {
	reader BacklogReader
	now    func() time.Time

	mu     sync.Mutex
	status outbox.Status
	err    error
	readAt time.Time
}

// Describe names the metrics.
func (*backlog) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{backlogReadable, backlogRows, backlogSeconds, backlogParked, backlogFailing, backlogBroadcasts, backlogDead} {
		ch <- d
	}
}

// Collect gives their values.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	status, err := b.read()
	if err != nil {
		gauge(backlogReadable, 0)
		return
	}
	age := 0.0
	if status.OldestAt != nil {
		age = max(b.now().Sub(*status.OldestAt), 0).Seconds()
	}
	gauge(backlogReadable, 1)
	gauge(backlogRows, float64(status.Pending))
	gauge(backlogSeconds, age)
	gauge(backlogParked, float64(status.Parked))
	gauge(backlogFailing, float64(status.Failing))
	gauge(backlogBroadcasts, float64(status.Broadcasts))
	gauge(backlogDead, float64(status.DeadLetters))
}

func (b *backlog) read() (outbox.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readAt.IsZero() || b.now().Sub(b.readAt) >= backlogAge {
		ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
		defer cancel()
		b.status, b.err = b.reader.Status(ctx, uuid.Nil)
		b.readAt = b.now()
	}
	return b.status, b.err
}
