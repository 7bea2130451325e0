package daemon

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/internal/standby"
	"github.com/fanfarehq/fanfare/preferences"
)

// ShutdownTimeout limits how long batches and requests in progress may take after a daemon begins
// to stop.
const ShutdownTimeout = 10 * time.Second

// Role selects the work of a daemon. It is named for the command that runs it.
type Role string

// The roles.
const (
	Worker Role = "worker" // delivers activities
	Server Role = "serve"  // serves the API
	Both   Role = "run"
)

func (r Role) delivers() bool { return r == Worker || r == Both }
func (r Role) serves() bool   { return r == Server || r == Both }

// Options describe a daemon. All are required.
type Options struct {
	Role    Role
	Config  *config.Config // validated with the settings of the role
	Version string         // of the program
	Logger  *zap.Logger
}

// Daemon runs the parts of one process. They share the pool, the client of Centrifugo, the monitor
// and the registry of metrics.
type Daemon struct {
	role             Role
	config           *config.Config
	version          string
	log              *zap.Logger
	channels         *centrifugo.Channels
	client           *centrifugo.Client
	pool             *pgxpool.Pool
	standbyPools     []*pgxpool.Pool // empty if the API is not served
	standbys         *standby.Standbys
	catalog          *render.Catalog
	filter           *preferences.Filter
	taxonomy         *taxonomy.Watcher // sets the texts of the catalog and the exceptions of the filter
	monitor          *monitor
	schema           *schemaGate
	registry         *prometheus.Registry
	health           *health
	apiListener      net.Listener                      // nil if the API is not served
	operatorListener net.Listener                      // nil if metrics and health are not served
	actors           []func(ctx context.Context) error // each returns nil soon after ctx ends
}

// New returns a daemon that listens on its addresses. It does not connect to PostgreSQL or
// Centrifugo. ctx is the context that will end the daemon. The caller calls Run, which also
// releases what New acquired.
func New(ctx context.Context, o Options) (*Daemon, error) {
	d := &Daemon{
		role: o.Role, config: o.Config, version: o.Version, log: o.Logger, registry: prometheus.NewRegistry(),
		schema: newSchemaGate(),
	}
	if err := d.wire(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// APIAddress returns the address that the API is served at, or nil if it is not served.
func (d *Daemon) APIAddress() net.Addr {
	if d.apiListener == nil {
		return nil
	}
	return d.apiListener.Addr()
}

func (d *Daemon) wire(ctx context.Context) (err error) {
	c := d.config
	if d.channels, err = centrifugo.ParseFormats(c.Formats()); err != nil {
		return err
	}
	d.client, err = centrifugo.New(centrifugo.Options{
		APIURL: c.CentrifugoAPIURL, APIKey: c.APIKey(), Timeout: c.PublishTimeout,
	})
	if err != nil {
		return err
	}
	if d.pool, err = database.Open(ctx, c.DatabaseURL, d.maxConnections()); err != nil {
		return err
	}
	d.catalog, d.filter = &render.Catalog{}, preferences.NewFilter(c.Mutations)
	d.taxonomy = taxonomy.NewWatcher(d.pool, taxonomy.WatcherOptions{
		Report: func(err error) { d.log.Warn("cannot read the applied taxonomy", zap.Error(err)) },
		OnChange: func(actions []taxonomy.Action) {
			_ = d.catalog.Set(actions) // Report receives the invalid templates too
			d.filter.SetNotify(taxonomy.NotifyByAction(actions))
		},
	})
	d.actors = append(d.actors, d.schema.hold(d.taxonomy.Run))
	if err := d.openStandbys(ctx); err != nil {
		return err
	}
	if d.role.serves() {
		if d.apiListener, err = listen(ctx, "--listen", c.Listen); err != nil {
			return err
		}
	}
	if c.MetricsListen != "" {
		if d.operatorListener, err = listen(ctx, "--metrics-listen", c.MetricsListen); err != nil {
			return err
		}
	}
	d.monitor = newMonitor(d.log,
		postgresDependency(d.pool, d.schema), centrifugoDependency(d.client, d.channels.Namespaces(), d.log))
	d.health = &health{problems: d.monitor.Problems, now: time.Now}
	d.actors = append(d.actors, d.monitor.Run)
	metrics.RegisterDependencies(d.registry, d.monitor.Names(), d.monitor.Problems)
	metrics.RegisterProcess(d.registry, d.version)
	if d.role.delivers() {
		d.deliver()
	}
	if d.role.serves() {
		if err := d.serveAPI(); err != nil {
			return err
		}
	}
	d.recordLifecycle(ctx)
	if d.operatorListener != nil {
		d.actors = append(d.actors, func(ctx context.Context) error {
			return serveOperator(ctx, d.operatorListener, operatorHandler(d.registry, d.health), d.log)
		})
	}
	return nil
}

// afterCatalogReady delays the start of an actor until the first attempt to load the taxonomy's
// texts, so that events after a start are rendered with them. Without a schema there are none.
func (d *Daemon) afterCatalogReady(act func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if d.schema.absent(ctx) {
			return act(ctx)
		}
		select {
		case <-d.taxonomy.Ready():
			return act(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// maxConnections is the maximum number of connections that the daemon opens.
func (d *Daemon) maxConnections() int {
	n := lifecycleConnections(d.config)
	if d.role.delivers() {
		n += WorkerConnections(d.config)
	}
	if d.role.serves() {
		n += apiConnections(d.config)
	}
	return n
}

// Run works until ctx ends, and then returns nil, or until a part of the daemon fails, and then
// returns its error. It finishes batches and requests in progress, for at most [ShutdownTimeout],
// and releases the daemon's resources. It may be called once.
func (d *Daemon) Run(ctx context.Context) error {
	defer d.close()
	d.log.Info("starting",
		zap.String("version", d.version),
		zap.String("command", string(d.role)),
		zap.String("database", config.RedactDatabaseURL(d.config.DatabaseURL)),
		zap.String("centrifugo", config.RedactURLs(d.config.CentrifugoAPIURL)))
	g, ctx := errgroup.WithContext(ctx)
	for _, act := range d.actors {
		g.Go(func() error { return act(ctx) })
	}
	g.Go(func() error {
		<-ctx.Done()
		d.log.Info("stopping: finishing work in progress", zap.Duration("timeout", ShutdownTimeout))
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	d.log.Info("stopped")
	return nil
}

func (d *Daemon) close() {
	for _, l := range []net.Listener{d.apiListener, d.operatorListener} {
		if l != nil {
			_ = l.Close() // usually closed already, by its server
		}
	}
	if d.client != nil {
		d.client.Close()
	}
	for _, pool := range append(d.standbyPools, d.pool) {
		if pool != nil {
			closePool(pool)
		}
	}
}

// closeTimeout limits the time for closing connections, part of ShutdownTimeout.
const closeTimeout = time.Second

// closePool closes a pool. It does not wait for connections that do not answer.
func closePool(pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		pool.Close()
	}()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}
