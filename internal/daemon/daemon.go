package daemon

import (
	"context"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/metrics"
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

// Daemon runs the parts of one process. Those of each database are in a cell; all share the client
// of Centrifugo, the listeners and the registry of metrics.
type Daemon struct {
	shared
	config           *config.Config
	log              *zap.Logger
	cells            []*cell    // at least one
	placement        *placement // nil without cells, or if the API is not served
	monitor          *monitor   // of Centrifugo
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
	d := &Daemon{config: o.Config, log: o.Logger, registry: prometheus.NewRegistry()}
	d.role, d.version = o.Role, o.Version
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
	if d.cells, err = d.newCells(ctx); err != nil {
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
	d.monitor = newMonitor(d.log, centrifugoDependency(d.client, d.channels.Namespaces(), d.log))
	d.actors = append(d.actors, d.monitor.Run)
	metrics.RegisterDependencies(d.unlabelled(), d.monitor.Names(), d.monitor.Problems)
	metrics.RegisterProcess(d.registry, d.version)
	d.wireHealth()
	if d.role.serves() {
		if err := d.serveAPI(ctx); err != nil {
			return err
		}
	}
	if d.operatorListener != nil {
		d.actors = append(d.actors, func(ctx context.Context) error {
			return serveOperator(ctx, d.operatorListener, operatorHandler(d.registry, d.health), d.log)
		})
	}
	return nil
}

// unlabelled returns the registry for metrics of no cell that have the name of a metric of cells:
// all metrics of one name must have the same labels.
func (d *Daemon) unlabelled() prometheus.Registerer {
	if !d.hasCells() {
		return d.registry
	}
	return prometheus.WrapRegistererWith(prometheus.Labels{"cell": ""}, d.registry)
}

// wireHealth makes the health of the daemon from that of its only database, or of its cells.
func (d *Daemon) wireHealth() {
	if d.hasCells() {
		d.health = &health{problems: d.monitor.Problems, now: time.Now, cells: map[string]*health{}}
		for _, c := range d.cells {
			d.health.cells[c.name()] = c.health
		}
	} else {
		d.health = d.cells[0].health
		d.health.problems = func() map[string][]string {
			problems := d.monitor.Problems()
			maps.Copy(problems, d.cells[0].monitor.Problems())
			return problems
		}
	}
	if d.role.serves() {
		d.health.optional = []string{centrifugoName, workerName}
		for _, c := range d.cells {
			c.health.optional = d.health.optional
		}
	}
}

// Run works until ctx ends, and then returns nil, or until a part of the daemon fails, and then
// returns its error. It finishes batches and requests in progress, for at most [ShutdownTimeout],
// and releases the daemon's resources. It may be called once.
func (d *Daemon) Run(ctx context.Context) error {
	defer d.close()
	d.logStart()
	g, ctx := errgroup.WithContext(ctx)
	actors := slices.Clone(d.actors)
	for _, c := range d.cells {
		actors = append(actors, c.actors...)
	}
	for _, act := range actors {
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

// logStart logs the servers that the daemon uses.
func (d *Daemon) logStart() {
	fields := []zap.Field{zap.String("version", d.version), zap.String("command", string(d.role))}
	if !d.hasCells() {
		fields = append(fields, zap.String("database", database.RedactURL(d.config.DatabaseURL)))
	}
	d.log.Info("starting", append(fields, zap.String("centrifugo", config.RedactURLs(d.config.CentrifugoAPIURL)))...)
	if !d.hasCells() {
		return
	}
	for _, c := range d.cells {
		c.log.Info("serving the cell", zap.String("database", database.RedactURL(c.config.DatabaseURL)))
	}
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
	var g errgroup.Group
	for _, c := range d.cells {
		g.Go(func() error { c.close(); return nil })
	}
	if d.placement != nil {
		g.Go(func() error { d.placement.close(); return nil })
	}
	_ = g.Wait() // returns no error
}
