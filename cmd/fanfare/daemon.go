package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// grace is how long the batches in hand may take once the daemon is told to stop.
const grace = 10 * time.Second

// stalled is how long the worker may be without a completed look at the outbox, besides its pause between two, before it counts
// as stalled.
const stalled = 15 * time.Second

// daemon is a worker with everything around it.
type daemon struct {
	log      *zap.Logger
	pool     *pgxpool.Pool
	client   *centrifugo.Client
	worker   *outbox.Worker
	monitor  *monitor
	listener net.Listener // nil when nothing is served
	operator http.Handler // of what is served there
}

// workerConnections is how many connections a worker may open: what it needs to deliver, and a few for the checks, the backlog
// and the partitions.
func workerConnections(c *Config) int { return 2*c.Workers + 3 }

// newDaemon wires a daemon. It waits for nothing and nobody: what cannot be reached is found out by Run.
func newDaemon(ctx context.Context, c *Config, log *zap.Logger) (*daemon, error) {
	channels, err := centrifugo.ParseFormats(c.formats())
	if err != nil {
		return nil, err
	}
	client, err := centrifugo.New(centrifugo.Options{APIURL: c.CentrifugoAPIURL, APIKey: c.apiKey(), Timeout: c.PublishTimeout})
	if err != nil {
		return nil, err
	}
	pool, err := openPool(ctx, c, workerConnections(c))
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, c.MetricsListen)
	if err != nil {
		pool.Close()
		return nil, err
	}
	registry := prometheus.NewRegistry()
	delivery := fanout.New(client, channels, preferences.NewFilter(c.Mutations), fanout.Options{
		Stream:   c.StreamTenants,
		NoInbox:  !c.Inbox,
		Wide:     c.WideAudience,
		Observer: metrics.NewFanout(registry),
	})
	d := &daemon{
		log: log, pool: pool, client: client, listener: listener,
		worker: outbox.NewWorker(pool, delivery, outbox.Options{
			Claimers: c.Workers,
			Batch:    c.BatchSize,
			Poll:     c.PollInterval,
			Grace:    grace,
			Retries:  outbox.Retries{MaxAttempts: c.MaxAttempts},
			Logger:   log,
			Observer: metrics.NewOutbox(registry),
		}),
		monitor: newMonitor(log, postgresPart(pool), centrifugoPart(client, channels.Namespaces())),
	}
	metrics.RegisterBacklog(registry, outbox.NewBacklog(pool))
	metrics.RegisterProgress(registry, d.worker.LastProgress)
	metrics.RegisterParts(registry, d.monitor.Names(), d.monitor.Wrong)
	metrics.RegisterProcess(registry, releasedAs())
	d.operator = operatorHandler(registry, &health{
		wrong: d.monitor.Wrong, lastProgress: d.worker.LastProgress, stalledAfter: stalled + c.PollInterval, now: time.Now,
	})
	return d, nil
}

// Run delivers until ctx ends, or until it cannot serve its metrics any more, and closes the daemon. It runs once.
func (d *daemon) Run(ctx context.Context) error {
	defer d.client.Close()
	defer d.pool.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.worker.Run(ctx) })
	g.Go(func() error { return d.monitor.Run(ctx) })
	g.Go(func() error { return keepPartitions(ctx, d.pool, d.log) })
	if d.listener != nil {
		g.Go(func() error { return serve(ctx, d.listener, d.operator, d.log) })
	}
	g.Go(func() error {
		<-ctx.Done()
		d.log.Info("fanfare stops once the batches in hand are finished", zap.Duration("at_most", grace))
		return nil
	})
	return g.Wait()
}
