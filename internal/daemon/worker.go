package daemon

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/outbox"
)

// stalledAfter is the time without a completed poll of the outbox, in addition to the poll
// interval, after which the worker is reported as stalled.
const stalledAfter = 15 * time.Second

// WorkerConnections returns the maximum number of connections that a worker opens: those of
// delivery, and one each for the worker's registration, health checks, backlog metrics, partitions,
// retention and the return of snoozed notifications.
func WorkerConnections(c *config.Config) int {
	n := 2*c.Workers + 4
	if c.RetentionInterval > 0 {
		n++
	}
	if c.Inbox {
		n++
	}
	return n
}

// publications is an observer that counts publications, besides another one.
type publications struct {
	fanout.Observer
	total atomic.Int64
}

// Observe implements fanout.Observer.
func (p *publications) Observe(r fanout.Report) {
	p.total.Add(int64(r.Publications))
	p.Observer.Observe(r)
}

// deliver adds the worker, the creation of partitions, the return of snoozed notifications and
// retention.
func (d *Daemon) deliver() {
	c := d.config
	counted := &publications{Observer: metrics.NewFanout(d.registry)}
	delivery := fanout.New(d.client, d.channels, d.filter, fanout.Options{
		Stream:   c.StreamTenants,
		NoInbox:  !c.Inbox,
		Wide:     c.WideAudience,
		Catalog:  d.catalog,
		Observer: counted,
		Logger:   d.log,
	})
	worker := outbox.NewWorker(d.pool, delivery, outbox.Options{
		Claimers: c.Workers,
		Batch:    c.BatchSize,
		Poll:     c.PollInterval,
		Grace:    ShutdownTimeout - closeTimeout,
		Retries:  outbox.Retries{MaxAttempts: c.MaxAttempts},
		Logger:   d.log,
		Observer: metrics.NewOutbox(d.registry),

		Version:      d.version,
		Publications: counted.total.Load,
	})
	metrics.RegisterBacklog(d.registry, outbox.NewBacklog(d.pool))
	metrics.RegisterProgress(d.registry, worker.LastProgress)
	d.health.delivery = worker.Problem
	d.health.lastProgress, d.health.stalledAfter = worker.LastProgress, stalledAfter+c.PollInterval
	d.actors = append(d.actors, d.schema.hold(d.afterCatalogReady(worker.Run)),
		d.schema.hold(func(ctx context.Context) error { return createPartitions(ctx, d.pool, d.log) }))
	if c.Inbox {
		returner := inbox.NewReturner(d.pool, inbox.ReturnOptions{
			Publisher: d.client, Channels: d.channels, Observe: metrics.NewInbox(d.registry).Observe, Logger: d.log,
		})
		d.actors = append(d.actors, d.schema.hold(returner.Run))
	}
	if c.RetentionInterval > 0 {
		runner := retention.NewRunner(d.pool, retention.Options{
			Logger: d.log, Observer: metrics.NewRetention(d.registry),
		})
		d.actors = append(d.actors, d.schema.hold(func(ctx context.Context) error {
			return runner.Loop(ctx, c.RetentionInterval)
		}))
	}
}
