package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/cells"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/internal/standby"
	"github.com/fanfarehq/fanfare/internal/stream"
	"github.com/fanfarehq/fanfare/preferences"
)

// cell holds the parts of a daemon that belong to one database. A daemon without cells has one,
// with an empty name.
type cell struct {
	shared
	config   *config.Config // of this cell's database
	log      *zap.Logger
	registry prometheus.Registerer // with the label of the cell

	pool         *pgxpool.Pool
	standbyPools []*pgxpool.Pool // empty if the API is not served
	standbys     *standby.Standbys
	catalog      *render.Catalog
	filter       *preferences.Filter
	taxonomy     *taxonomy.Watcher // sets the texts of the catalog and the exceptions of the filter
	monitor      *monitor          // of the database
	schema       *schemaGate
	hub          *stream.Hub                       // nil if the API is not served
	health       *health                           // of the database and the worker
	actors       []func(ctx context.Context) error // each returns nil soon after ctx ends
	ready        chan struct{}                     // closed when requests are rendered with the taxonomy's texts
}

// shared holds what the cells of a daemon share.
type shared struct {
	role     Role
	version  string
	channels *centrifugo.Channels
	client   *centrifugo.Client
}

// name returns the name of the cell, or "" without cells.
func (c *cell) name() string { return c.config.Cell }

// newCells returns the cells of the settings, or one for the only database. They are open until
// they are closed, also those that are returned with an error.
func (d *Daemon) newCells(ctx context.Context) (opened []*cell, err error) {
	if !d.hasCells() {
		c := d.newCell(d.config)
		return []*cell{c}, c.wire(ctx)
	}
	for _, selected := range d.config.SelectedCells() {
		c := d.newCell(d.config.ForCell(selected))
		opened = append(opened, c)
		if err := c.wire(ctx); err != nil {
			return opened, err
		}
	}
	return opened, nil
}

// hasCells reports whether the settings have cells, and not one database.
func (d *Daemon) hasCells() bool { return d.config.Cells() != nil }

func (d *Daemon) newCell(c *config.Config) *cell {
	log, registry := d.log, prometheus.Registerer(d.registry)
	if c.Cell != "" {
		log = log.With(zap.String("cell", c.Cell))
		registry = prometheus.WrapRegistererWith(prometheus.Labels{"cell": c.Cell}, registry)
	}
	return &cell{
		shared: shared{d.role, d.version, d.channels, d.client}, config: c, log: log, registry: registry,
		schema: newSchemaGate(), ready: make(chan struct{}),
	}
}

// wire opens the pools, and adds the actors of the database. It does not connect.
func (c *cell) wire(ctx context.Context) (err error) {
	if c.pool, err = database.Open(ctx, c.config.DatabaseURL, maxConnections(c.role, c.config)); err != nil {
		return err
	}
	c.catalog, c.filter = &render.Catalog{}, preferences.NewFilter(c.config.Mutations)
	c.taxonomy = taxonomy.NewWatcher(c.pool, taxonomy.WatcherOptions{
		Report: func(err error) { c.log.Warn("cannot read the applied taxonomy", zap.Error(err)) },
		OnChange: func(actions []taxonomy.Action) {
			_ = c.catalog.Set(actions) // Report receives the invalid templates too
			c.filter.SetNotify(taxonomy.NotifyByAction(actions))
		},
	})
	c.actors = append(c.actors, c.awaitFailure, c.schema.hold(c.taxonomy.Run))
	if err := c.openStandbys(ctx); err != nil {
		return err
	}
	c.monitor = newMonitor(c.log, c.remedied(postgresDependency(c.pool, c.schema, c.log)))
	c.health = &health{problems: c.monitor.Problems, now: time.Now}
	c.actors = append(c.actors, c.monitor.Run)
	metrics.RegisterDependencies(c.registry, c.monitor.Names(), c.monitor.Problems)
	if c.role.delivers() {
		c.deliver()
	}
	c.recordLifecycle(ctx)
	return nil
}

// remedied makes the problems of a dependency name the key of the file of the cells.
func (c *cell) remedied(d dependency) dependency {
	if c.name() == "" {
		return d
	}
	check := d.check
	d.check = func(ctx context.Context, first bool) []string {
		problems := check(ctx, first)
		for i, problem := range problems {
			problems[i] = cells.Remedy(problem)
		}
		return problems
	}
	return d
}

// awaitFailure is an actor that fails when the schema becomes incompatible with this program.
func (c *cell) awaitFailure(ctx context.Context) error {
	err := c.schema.awaitFailure(ctx)
	if err != nil && c.name() != "" {
		return fmt.Errorf("cell %s: %w", c.name(), err)
	}
	return err
}

// afterCatalogReady delays the start of an actor until the first attempt to load the taxonomy's
// texts, so that events after a start are rendered with them. While the schema is held, there are
// none.
func (c *cell) afterCatalogReady(act func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if c.schema.awaitHeld(ctx) {
			return act(ctx)
		}
		select {
		case <-c.taxonomy.Ready():
			return act(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// maxConnections is the maximum number of connections that a daemon opens to one database.
func maxConnections(role Role, c *config.Config) int {
	n := lifecycleConnections(c)
	if role.delivers() {
		n += WorkerConnections(c)
	}
	if role.serves() {
		n += apiConnections(c)
	}
	return n
}

func (c *cell) close() {
	if c.hub != nil {
		c.hub.Close() // usually closed already, by its Run
	}
	for _, pool := range append(c.standbyPools, c.pool) {
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
