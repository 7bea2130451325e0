package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
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

func newWorkerCommand(p process) *cobra.Command {
	settings := allSettings()
	command := &cobra.Command{
		Use:   "worker",
		Short: "Deliver activities until told to stop",
		Long: `Delivers what services record, until SIGINT or SIGTERM; then it finishes the batches in hand, for at most
10 seconds. A second signal ends it at once, and loses nothing.

Any number of workers may run on one database. PostgreSQL or Centrifugo being away is waited for.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			config := load(settings, command.Flags(), p.getenv)
			if err := config.Validate(); err != nil {
				return err
			}
			log, err := newLogger(&config.Config, p.stderr)
			if err != nil {
				return err
			}
			return work(command.Context(), &config.Config, log)
		},
	}
	addFlags(command.Flags(), settings)
	return command
}

// work runs the daemon until ctx ends.
func work(ctx context.Context, c *Config, log *zap.Logger) error {
	channels, err := centrifugo.ParseFormats(c.formats())
	if err != nil {
		return err
	}
	client, err := centrifugo.New(centrifugo.Options{APIURL: c.CentrifugoAPIURL, APIKey: c.apiKey(), Timeout: c.PublishTimeout})
	if err != nil {
		return err
	}
	defer client.Close()
	// What the worker needs, and a few for the checks, the backlog and the partitions.
	pool, err := openPool(ctx, c, 2*c.Workers+3)
	if err != nil {
		return err
	}
	defer pool.Close()

	listener, err := listen(ctx, c.MetricsListen)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	delivery := fanout.New(client, channels, preferences.NewFilter(c.Mutations), fanout.Options{
		Stream: c.StreamTenants, NoInbox: !c.Inbox, Wide: c.WideAudience, Observer: metrics.NewFanout(registry),
	})
	worker := outbox.NewWorker(pool, delivery, outbox.Options{
		Claimers: c.Workers, Batch: c.BatchSize, Poll: c.PollInterval, Grace: grace,
		Retries: outbox.Retries{MaxAttempts: c.MaxAttempts}, Logger: log, Observer: metrics.NewOutbox(registry),
	})
	monitor := newMonitor(log, postgresPart(pool), centrifugoPart(client, channels.Namespaces()))
	metrics.RegisterBacklog(registry, outbox.NewBacklog(pool))
	metrics.RegisterProcess(registry, releasedAs())
	metrics.RegisterProgress(registry, worker.LastProgress)
	metrics.RegisterParts(registry, []string{postgresName, centrifugoName}, monitor.Wrong)

	log.Info("fanfare starts", zap.String("version", releasedAs()), zap.String("database", shownDatabase(c.DatabaseURL)),
		zap.String("centrifugo", shownURL(c.CentrifugoAPIURL)), zap.Int("workers", c.Workers), zap.Int("batch_size", c.BatchSize))
	g, ctx := errgroup.WithContext(ctx)
	stopping := context.AfterFunc(ctx, func() { log.Info("fanfare stops: batches in hand are finished first", zap.Duration("at_most", grace)) })
	defer stopping()
	g.Go(func() error { return worker.Run(ctx) })
	g.Go(func() error { return monitor.Run(ctx) })
	g.Go(func() error { return keepPartitions(ctx, pool, log) })
	if listener != nil {
		h := &health{wrong: monitor.Wrong, lastProgress: worker.LastProgress, now: time.Now}
		g.Go(func() error { return serve(ctx, listener, operatorHandler(registry, h), log) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	log.Info("fanfare has stopped")
	return nil
}
