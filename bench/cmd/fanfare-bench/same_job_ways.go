package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// way is a way from changes to publications: the transaction of a writer, and servers that deliver.
type way struct {
	write     func(ctx context.Context, conn *pgx.Conn, r *fixture.Resource, n int) error
	await     func(ctx context.Context, changes int) error // returns when they are published
	published func(ctx context.Context) (int64, error)
	stop      func() error
}

// reset empties the tables but the log, which is append-only.
func (j *jobSite) reset(ctx context.Context) error {
	tables := []string{
		"changes", "audit", "centrifugo_outbox", "river.river_job", "fanfare.outbox", "fanfare.notifications",
	}
	for _, table := range []string{"cf_stream", "cf_stream_meta", "cf_stream_idempotency"} {
		var exists bool
		if err := j.db.Pool.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists); err != nil {
			return err
		}
		if exists {
			tables = append(tables, table)
		}
	}
	err := pgx.BeginFunc(ctx, j.db.Pool, func(tx pgx.Tx) error {
		for _, table := range tables {
			if _, err := tx.Exec(ctx, "TRUNCATE "+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("empty the tables: %w", err)
	}
	const log = "SELECT count(*) FROM fanfare.activities"
	if err := j.db.Pool.QueryRow(ctx, log).Scan(&j.earlier); err != nil {
		return err
	}
	return j.db.Settle(ctx, append(tables, "fanfare.activities")...)
}

// open starts the servers of a way.
func (j *jobSite) open(ctx context.Context, name string) (*way, error) {
	switch name {
	case viaFanfare, viaFanfareInbox:
		return j.openFanfare(ctx, fanout.Options{NoInbox: name == viaFanfare})
	case inApplication:
		return j.openConsumer(ctx, j.addressed)
	case withAudit:
		return j.openConsumer(ctx, j.addressedAndAudited)
	case viaRiver:
		return j.openRiver(ctx)
	default:
		return j.openBroker(ctx)
	}
}

func (j *jobSite) openFanfare(ctx context.Context, opts fanout.Options) (*way, error) {
	server, stop, err := stack.StartCentrifugo(ctx, j.options.binaries.v6)
	if err != nil {
		return nil, err
	}
	client, err := centrifugo.New(centrifugo.Options{APIURL: server.APIURLs(), APIKey: server.APIKey()})
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	if err := connect(ctx, client, false); err != nil {
		client.Close()
		return nil, errors.Join(err, stop())
	}
	counted := newDeliveries(0)
	handler, err := newFanout(client, opts)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	worker, err := startWorker(ctx, j.db.URL, handler, j.options.workerFlags, counted)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return &way{
		write:     j.record,
		await:     counted.awaitNumber,
		published: func(ctx context.Context) (int64, error) { return stack.Published(ctx, server.APIURL()) },
		stop: func() error {
			err := worker.stop()
			client.Close()
			return errors.Join(err, stop())
		},
	}, nil
}

// openConsumer starts a Centrifugo that consumes the table centrifugo_outbox.
func (j *jobSite) openConsumer(
	ctx context.Context, write func(ctx context.Context, conn *pgx.Conn, r *fixture.Resource, n int) error,
) (*way, error) {
	server, stop, err := stack.StartConsumer(ctx, stack.ConsumerOptions{
		Binary:      j.options.binaries.v6,
		DatabaseURL: j.db.URL + fmt.Sprintf("&pool_max_conns=%d", j.options.partitions+1), Table: "centrifugo_outbox",
		Partitions: j.options.partitions, SelectLimit: j.options.selectLimit, PollInterval: j.options.poll,
	})
	if err != nil {
		return nil, err
	}
	return &way{
		write:     write,
		await:     func(ctx context.Context, _ int) error { return awaitConsumed(ctx, j.db) },
		published: func(ctx context.Context) (int64, error) { return stack.Published(ctx, server.APIURL()) },
		stop:      stop,
	}, nil
}

// openRiver starts a River client whose jobs resolve and publish.
func (j *jobSite) openRiver(ctx context.Context) (*way, error) {
	server, stop, err := stack.StartCentrifugo(ctx, j.options.binaries.v6)
	if err != nil {
		return nil, err
	}
	c := &riverClient{publisher: newPlainPublisher(server, j.options.river.workers), resolver: j.resolver}
	if err := newRiver(ctx, j.db, j.options.river.workers, &j.options.river, c); err != nil {
		return nil, errors.Join(err, stop())
	}
	if err := c.Start(ctx); err != nil {
		return nil, errors.Join(err, c.stop(), stop())
	}
	return &way{
		write:     j.enqueue(c),
		await:     c.await,
		published: func(ctx context.Context) (int64, error) { return stack.Published(ctx, server.APIURL()) },
		stop: func() error {
			err := c.stop()
			c.publisher.close()
			return errors.Join(err, stop())
		},
	}, nil
}

// openBroker starts a Centrifugo that delivers what cf_stream_publish publishes.
func (j *jobSite) openBroker(ctx context.Context) (*way, error) {
	server, stop, err := stack.StartStreamBroker(ctx, j.options.binaries.v6, j.db.URL, j.options.brokerPoll)
	if err != nil {
		return nil, err
	}
	return &way{
		write: j.stream,
		await: func(ctx context.Context, changes int) error {
			want := int64(changes * (len(j.world.Resources[0].Watchers) + 1))
			for {
				received, err := stack.Received(ctx, server.APIURL())
				if err != nil {
					return err
				}
				if received >= want {
					return nil
				}
				if err := wait.Sleep(ctx, 50*time.Millisecond); err != nil {
					return fmt.Errorf("%d of %d publications: %w", received, want, err)
				}
			}
		},
		published: func(ctx context.Context) (int64, error) { return stack.Received(ctx, server.APIURL()) },
		stop:      stop,
	}, nil
}

// awaitConsumed returns when Centrifugo's consumer has removed all rows.
func awaitConsumed(ctx context.Context, db *stack.Database) error {
	for {
		var left bool
		// The last row exists until its partition is drained, so this finds it quickly.
		const rows = "SELECT EXISTS (SELECT FROM (SELECT id FROM centrifugo_outbox ORDER BY id DESC LIMIT 1) AS last)"
		if err := db.Pool.QueryRow(ctx, rows).Scan(&left); err != nil {
			return err
		}
		if !left {
			return nil
		}
		if err := wait.Sleep(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("publications are pending: %w", err)
		}
	}
}
