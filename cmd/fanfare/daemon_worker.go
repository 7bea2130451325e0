package main

import (
	"context"
	"time"

	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// stalled is how long the worker may be without a completed look at the outbox, besides its pause
// between two, before it counts as stalled.
const stalled = 15 * time.Second

// workerConnections is how many connections a worker may open: what it needs to deliver, and a few
// for the checks, the backlog, the partitions and retention.
func workerConnections(c *Config) int { return 2*c.Workers + 3 + retentionConnections(c) }

// deliver adds the worker.
func (d *daemon) deliver(c *Config) {
	delivery := fanout.New(d.client, d.channels, preferences.NewFilter(c.Mutations), fanout.Options{
		Stream:   c.StreamTenants,
		NoInbox:  !c.Inbox,
		Wide:     c.WideAudience,
		Phrases:  d.phrases,
		Observer: metrics.NewFanout(d.registry),
	})
	worker := outbox.NewWorker(d.pool, delivery, outbox.Options{
		Claimers: c.Workers,
		Batch:    c.BatchSize,
		Poll:     c.PollInterval,
		Grace:    grace,
		Retries:  outbox.Retries{MaxAttempts: c.MaxAttempts},
		Logger:   d.log,
		Observer: metrics.NewOutbox(d.registry),
	})
	metrics.RegisterBacklog(d.registry, outbox.NewBacklog(d.pool))
	metrics.RegisterProgress(d.registry, worker.LastProgress)
	d.health.lastProgress, d.health.stalledAfter = worker.LastProgress, stalled+c.PollInterval
	d.actors = append(
		d.actors,
		d.oncePhrased(worker.Run),
		func(ctx context.Context) error { return keepPartitions(ctx, d.pool, d.log) },
	)
	d.retain(c)
}
