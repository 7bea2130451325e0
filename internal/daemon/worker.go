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
	"github.com/fanfarehq/fanfare/migrations"
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
func (c *cell) deliver() {
	counted := &publications{Observer: metrics.NewFanout(c.registry)}
	delivery := fanout.New(c.client, c.channels, c.filter, fanout.Options{
		Stream:   c.config.StreamTenants,
		NoInbox:  !c.config.Inbox,
		Wide:     c.config.WideAudience,
		Catalog:  c.catalog,
		Observer: counted,
		Logger:   c.log,
	})
	latest, needed := migrations.Versions()
	worker := outbox.NewWorker(c.pool, delivery, outbox.Options{
		Claimers: c.config.Workers,
		Batch:    c.config.BatchSize,
		Poll:     c.config.PollInterval,
		Grace:    ShutdownTimeout - closeTimeout,
		Retries:  outbox.Retries{MaxAttempts: c.config.MaxAttempts},
		Logger:   c.log,
		Observer: metrics.NewOutbox(c.registry),

		Version:      c.version,
		Publications: counted.total.Load,

		SchemaVersion: latest,
		SchemaNeeded:  needed,
	})
	metrics.RegisterBacklog(c.registry, outbox.NewBacklog(c.pool))
	metrics.RegisterProgress(c.registry, worker.LastProgress)
	c.health.delivery = worker.Problem
	c.health.lastProgress, c.health.stalledAfter = worker.LastProgress, stalledAfter+c.config.PollInterval
	c.actors = append(c.actors, c.schema.hold(c.afterCatalogReady(worker.Run)),
		c.schema.hold(func(ctx context.Context) error { return createPartitions(ctx, c.pool, c.log) }))
	if c.config.Inbox {
		returner := inbox.NewReturner(c.pool, inbox.ReturnOptions{
			Publisher: c.client, Channels: c.channels, Observe: metrics.NewInbox(c.registry).Observe, Logger: c.log,
		})
		c.actors = append(c.actors, c.schema.hold(returner.Run))
	}
	if c.config.RetentionInterval > 0 {
		runner := retention.NewRunner(c.pool, retention.Options{
			Logger: c.log, Observer: metrics.NewRetention(c.registry),
		})
		c.actors = append(c.actors, c.schema.hold(func(ctx context.Context) error {
			return runner.Loop(ctx, c.config.RetentionInterval)
		}))
	}
}
