package main

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/metrics"
)

// grace is how long what is under way may take once the daemon is told to stop.
const grace = 10 * time.Second

// duties are what a daemon is there for.
type duties struct {
	deliver bool // activities
	serve   bool // the API
}

// daemon is the parts of one process. All share the pool, the client, the monitor and the metrics.
type daemon struct {
	log       *zap.Logger
	channels  *centrifugo.Channels
	client    *centrifugo.Client
	pool      *pgxpool.Pool
	phrases   *activity.Phrasebook
	monitor   *monitor
	registry  *prometheus.Registry
	health    *health
	listener  net.Listener                      // of the API; nil when it is not served
	operators net.Listener                      // of the metrics and the health; nil when they are off
	actors    []func(ctx context.Context) error // each returns nil soon after ctx has ended
}

// newDaemon wires a daemon. It waits for nothing and nobody: what cannot be reached is found out by
// Run.
func newDaemon(ctx context.Context, c *Config, does duties, log *zap.Logger) (*daemon, error) {
	d := &daemon{log: log, registry: prometheus.NewRegistry()}
	if err := d.wire(ctx, c, does); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *daemon) wire(ctx context.Context, c *Config, does duties) (err error) {
	if d.channels, err = centrifugo.ParseFormats(c.formats()); err != nil {
		return err
	}
	if d.client, err = centrifugo.New(centrifugo.Options{APIURL: c.CentrifugoAPIURL, APIKey: c.apiKey(), Timeout: c.PublishTimeout}); err != nil {
		return err
	}
	if d.pool, err = openPool(ctx, c, does.connections(c)); err != nil {
		return err
	}
	d.phrases = activity.NewPhrasebook(
		d.pool,
		func(err error) { d.log.Warn("events may say less than the taxonomy has for them", zap.Error(err)) },
	)
	d.actors = append(d.actors, d.phrases.Run)
	if does.serve {
		if d.listener, err = listen(ctx, "--listen", c.Listen); err != nil {
			return err
		}
	}
	if c.MetricsListen != "" {
		if d.operators, err = listen(ctx, "--metrics-listen", c.MetricsListen); err != nil {
			return err
		}
	}
	d.monitor = newMonitor(d.log, postgresPart(d.pool), centrifugoPart(d.client, d.channels.Namespaces()))
	d.health = &health{wrong: d.monitor.Wrong, now: time.Now}
	d.actors = append(d.actors, d.monitor.Run)
	metrics.RegisterDependencies(d.registry, d.monitor.Names(), d.monitor.Wrong)
	metrics.RegisterProcess(d.registry, releasedAs())
	if does.deliver {
		d.deliver(c)
	}
	if does.serve {
		if err := d.serveAPI(c); err != nil {
			return err
		}
	}
	d.recordLife(ctx, c, does)
	if d.operators != nil {
		d.actors = append(d.actors, func(ctx context.Context) error {
			return serve(ctx, d.operators, operatorHandler(d.registry, d.health), d.log)
		})
	}
	return nil
}

// oncePhrased lets an actor begin once the taxonomy has been looked for, so that no event goes out
// without its words at a start.
func (d *daemon) oncePhrased(act func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-d.phrases.Ready():
			return act(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// connections is how many connections the daemon may open.
func (does duties) connections(c *Config) (n int) {
	n = recordConnections(c)
	if does.deliver {
		n += workerConnections(c)
	}
	if does.serve {
		n += apiConnections(c)
	}
	return n
}

// Run works until ctx ends, or until something cannot be served any more, and closes the daemon. It
// runs once.
func (d *daemon) Run(ctx context.Context) error {
	defer d.close()
	g, ctx := errgroup.WithContext(ctx)
	for _, act := range d.actors {
		g.Go(func() error { return act(ctx) })
	}
	g.Go(func() error {
		<-ctx.Done()
		d.log.Info("fanfare stops once what is under way is finished", zap.Duration("at_most", grace))
		return nil
	})
	return g.Wait()
}

func (d *daemon) close() {
	for _, l := range []net.Listener{d.listener, d.operators} {
		if l != nil {
			_ = l.Close() // most often it is closed already
		}
	}
	if d.client != nil {
		d.client.Close()
	}
	if d.pool != nil {
		d.pool.Close()
	}
}
