// Package stack starts a private PostgreSQL and Centrifugo for a benchmark, and reads the resources
// that they use from the system.
package stack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/migrations"
)

// stopTimeout limits the time that the servers take to stop.
const stopTimeout = 30 * time.Second

// Database is a PostgreSQL with Fanfare's schema.
type Database struct {
	URL  string // contains the password
	Pool *pgxpool.Pool

	server *devstack.Postgres // nil if OpenDatabase opened it
}

// StartDatabase starts a durable PostgreSQL. settings are added to its configuration.
func StartDatabase(ctx context.Context, settings map[string]string) (*Database, error) {
	server, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{Durable: true, Settings: settings})
	if err != nil {
		return nil, err
	}
	d := &Database{URL: server.URL("postgres"), server: server}
	if err := d.prepare(ctx); err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
}

// OpenDatabase connects to a running PostgreSQL by a superuser's URL and migrates Fanfare's schema.
func OpenDatabase(ctx context.Context, url string) (*Database, error) {
	d := &Database{URL: url}
	if err := d.prepare(ctx); err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
}

func (d *Database) prepare(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, d.URL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := migrations.Apply(ctx, conn); err != nil {
		return err
	}
	d.Pool, err = d.NewPool(ctx, 8)
	return err
}

// NewPool opens another pool, so that a worker does not share connections with its measurement.
func (d *Database) NewPool(ctx context.Context, connections int) (*pgxpool.Pool, error) {
	return NewPool(ctx, d.URL, connections)
}

// NewPool opens a pool of a database.
func NewPool(ctx context.Context, url string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	return pgxpool.NewWithConfig(ctx, config)
}

// Exec executes statements one after the other.
func (d *Database) Exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := d.Pool.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// Settle vacuums the tables and writes a checkpoint, so that previous work does not affect a run.
func (d *Database) Settle(ctx context.Context, tables ...string) error {
	for _, table := range tables {
		if err := d.Exec(ctx, "VACUUM (ANALYZE) "+table); err != nil {
			return err
		}
	}
	return d.Exec(ctx, "CHECKPOINT")
}

// Gate locks a table until open is called: everything that waits for the table then starts at the
// same time.
func (d *Database) Gate(ctx context.Context, table string) (open func() error, err error) {
	tx, err := d.Pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return nil, errors.Join(err, tx.Rollback(ctx))
	}
	return func() error { return tx.Rollback(ctx) }, nil
}

// Create creates another database on the same server, with Fanfare's schema. Its Stop closes its
// pool only.
func (d *Database) Create(ctx context.Context, name string) (*Database, error) {
	if d.server == nil {
		return nil, errors.New("a database of another server")
	}
	if err := d.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return nil, err
	}
	return OpenDatabase(ctx, d.server.URL(name))
}

// Stop closes the pool, and stops and removes the server if StartDatabase started it.
func (d *Database) Stop() error {
	if d.Pool != nil {
		d.Pool.Close()
	}
	if d.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return d.server.Stop(ctx)
}

// StartCentrifugo starts a Centrifugo with the production configuration; stop stops it. binary is
// its path, or "" for the one that is installed.
func StartCentrifugo(ctx context.Context, binary string) (server *devstack.Centrifugo, stop func() error, err error) {
	return startCentrifugo(ctx, devstack.CentrifugoOptions{Binary: binary})
}

func startCentrifugo(
	ctx context.Context, options devstack.CentrifugoOptions,
) (server *devstack.Centrifugo, stop func() error, err error) {
	server, err = devstack.StartCentrifugo(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	return server, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		return server.Stop(ctx)
	}, nil
}
