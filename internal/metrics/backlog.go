package metrics

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/outbox"
)

const (
	backlogTimeout = 2 * time.Second // of one read
	backlogMaxAge  = 5 * time.Second // of a result that scrapes reuse
)

// BacklogReader counts the pending activities of a tenant, or of all tenants for uuid.Nil;
// *outbox.Backlog implements it.
type BacklogReader interface {
	Status(ctx context.Context, tenant uuid.UUID) (outbox.Status, error)
}

// RegisterBacklog exports the pending activities of all tenants. Scrapes read them, at most once in
// 5 seconds. While the database cannot be read, fanfare_backlog_up is 0 and the other metrics of
// the backlog are absent.
func RegisterBacklog(registry prometheus.Registerer, reader BacklogReader) {
	registry.MustRegister(&backlog{reader: reader, now: time.Now})
}

var (
	backlogUp = describe(
		"fanfare_backlog_up",
		"Whether the last read of the backlog succeeded (1) or failed (0).",
	)
	backlogPending = describe(
		"fanfare_backlog_pending_activities",
		"Activities in the outbox, without those that are parked or have a fan-out job.",
	)
	backlogAge = describe(
		"fanfare_backlog_oldest_age_seconds",
		"Time since the oldest activity in the outbox was recorded; 0 if the outbox is empty.",
	)
	backlogParked = describe(
		"fanfare_backlog_parked_activities",
		"Activities that wait for a retry, or are blocked by an activity that does.",
	)
	backlogFailing = describe(
		"fanfare_backlog_failing_activities",
		"Parked activities that have failed themselves.",
	)
	backlogJobs        = describe("fanfare_backlog_fan_out_jobs", "Fan-out jobs that are not finished.")
	backlogDeadLetters = describe("fanfare_backlog_dead_letters", "Dead letters that have not been replayed.")
)

func describe(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

// backlog implements prometheus.Collector. Concurrent scrapes share one read.
type backlog struct {
	reader BacklogReader
	now    func() time.Time

	mu     sync.Mutex
	status outbox.Status
	err    error
	readAt time.Time
}

// Describe implements prometheus.Collector.
func (*backlog) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		backlogUp, backlogPending, backlogAge, backlogParked, backlogFailing, backlogJobs, backlogDeadLetters,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	status, err := b.read()
	if err != nil {
		gauge(backlogUp, 0)
		return
	}
	age := 0.0
	if status.OldestAt != nil {
		age = max(b.now().Sub(*status.OldestAt), 0).Seconds()
	}
	gauge(backlogUp, 1)
	gauge(backlogPending, float64(status.Pending))
	gauge(backlogAge, age)
	gauge(backlogParked, float64(status.Parked))
	gauge(backlogFailing, float64(status.Failing))
	gauge(backlogJobs, float64(status.FanOutJobs))
	gauge(backlogDeadLetters, float64(status.DeadLetters))
}

func (b *backlog) read() (outbox.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readAt.IsZero() || b.now().Sub(b.readAt) >= backlogMaxAge {
		ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
		defer cancel()
		b.status, b.err = b.statusOf(ctx)
		b.readAt = b.now()
	}
	return b.status, b.err
}

// statusOf reads the backlog. A panic becomes an error: the registry collects in goroutines of its
// own, so that it would end the process.
func (b *backlog) statusOf(ctx context.Context) (status outbox.Status, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("read the backlog: panic: %v", cause)
		}
	}()
	return b.reader.Status(ctx, uuid.Nil)
}
