// Package stack starts what a benchmark runs on, a durable PostgreSQL and a real Centrifugo of its
// own, and reads from the system what each of them costs.
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

// stopTimeout bounds how long the servers may take to end.
const stopTimeout = 30 * time.Second

// Database is a PostgreSQL with fsync and Fanfare's schema in it.
type Database struct {
	URL  string // holds the password
	Pool *pgxpool.Pool

	server *devstack.Postgres // nil: somebody else's
}

// StartDatabase starts one; settings are added to its configuration.
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

// OpenDatabase takes one that runs already, whose superuser the URL names, and leaves it running;
// Fanfare's schema is brought up to date.
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

// NewPool connects anew, so that a worker shares no connection with what measures it.
func (d *Database) NewPool(ctx context.Context, connections int) (*pgxpool.Pool, error) {
	return NewPool(ctx, d.URL, connections)
}

// NewPool connects to a database by its URL.
func NewPool(ctx context.Context, url string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	return pgxpool.NewWithConfig(ctx, config)
}

// Exec runs statements one after the other.
func (d *Database) Exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := d.Pool.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// Settle vacuums the tables and writes a checkpoint, so that no run pays for what came before it.
func (d *Database) Settle(ctx context.Context, tables ...string) error {
	for _, table := range tables {
		if err := d.Exec(ctx, "VACUUM (ANALYZE) "+table); err != nil {
			return err
		}
	}
	return d.Exec(ctx, "CHECKPOINT")
}

// Gate holds a table back from everybody until the returned function lets it go: what has been
// started against it by then starts working at one moment.
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

// Stop ends the server and removes its files, if it is our own.
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

// StartCentrifugo starts one with the production configuration; stop ends it.
func StartCentrifugo(ctx context.Context) (server *devstack.Centrifugo, stop func() error, err error) {
	server, err = devstack.StartCentrifugo(ctx, devstack.CentrifugoOptions{})
	if err != nil {
		return nil, nil, err
	}
	return server, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		return server.Stop(ctx)
	}, nil
}
