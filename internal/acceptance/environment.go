package acceptance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/migrations"
	"github.com/fanfarehq/fanfare/outbox"
)

// stopTimeout limits the time that the servers take to end.
const stopTimeout = 30 * time.Second

// Environment is the servers of a run.
type Environment struct {
	DatabaseURL string // of a superuser; contains the password
	Pool        *pgxpool.Pool
	Centrifugo  *devstack.Centrifugo

	// ClientTimeout is the time that a client waits for the server; default 5 s.
	ClientTimeout time.Duration
	// Progress, if set, receives a line of progress at a time.
	Progress func(format string, args ...any)

	postgres *devstack.Postgres
}

// Start starts a durable PostgreSQL with Fanfare's schema and a Centrifugo with the production
// configuration. settings are added to PostgreSQL's configuration. Stop ends both.
func Start(ctx context.Context, settings map[string]string) (e *Environment, err error) {
	e = &Environment{ClientTimeout: 20 * time.Second} // a server with thousands of clients may be slow
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Stop())
		}
	}()
	e.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresOptions{Durable: true, Settings: settings})
	if err != nil {
		return e, err
	}
	e.DatabaseURL = e.postgres.URL("postgres")
	err = pg.WithConn(ctx, e.DatabaseURL, func(conn *pgx.Conn) error { return migrations.Apply(ctx, conn) })
	if err != nil {
		return e, err
	}
	if e.Pool, err = openPool(ctx, e.DatabaseURL, 8); err != nil {
		return e, err
	}
	e.Centrifugo, err = devstack.StartCentrifugo(ctx, devstack.CentrifugoOptions{})
	return e, err
}

// Stop ends the servers that Start started and removes their files.
func (e *Environment) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	if e.Pool != nil {
		e.Pool.Close()
	}
	if e.Centrifugo != nil {
		errs = append(errs, e.Centrifugo.Stop(ctx))
	}
	if e.postgres != nil {
		errs = append(errs, e.postgres.Stop(ctx))
	}
	return errors.Join(errs...)
}

func (e *Environment) progress(format string, args ...any) {
	if e.Progress != nil {
		e.Progress(format, args...)
	}
}

func openPool(ctx context.Context, databaseURL string, connections int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	return pgxpool.NewWithConfig(ctx, config)
}

// ConnectOptions are the options of Connect.
type ConnectOptions struct {
	TokenTTL time.Duration // after which the clients renew their tokens; default 1 h
	Timeout  time.Duration // that a client waits for the server; default 5 s
}

// Nodes are a Centrifugo: one node, or several that share their channels.
type Nodes interface {
	WebSocketURL() string // that clients connect to
	APIURLs() string
	APIKey() string
	TokenSecret() string
}

// Connect connects a client for each principal with a token that is signed here, not by the API.
// closeAll disconnects them.
func Connect(
	ctx context.Context, server Nodes, principals []activity.Principal, o ConnectOptions,
) (set *clients.Set, closeAll func(), err error) {
	channels, formatsErr := centrifugo.ParseFormats(centrifugo.Formats{})
	tokens, tokensErr := centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: server.TokenSecret(), ConnectionTTL: cmp.Or(o.TokenTTL, time.Hour),
	})
	publisher, publisherErr := centrifugo.New(centrifugo.Options{APIURL: server.APIURLs(), APIKey: server.APIKey()})
	if err := errors.Join(formatsErr, tokensErr, publisherErr); err != nil {
		return nil, nil, err
	}
	set = clients.New(clients.Options{
		WebSocketURL: server.WebSocketURL(), Channels: channels, Publisher: publisher, Timeout: o.Timeout,
	})
	configs := make([]clients.Config, len(principals))
	for i, p := range principals {
		configs[i] = clients.Config{Principal: p, ConnectionToken: func() (string, error) {
			token, _ := tokens.Connection(p)
			return token, nil
		}}
	}
	closeAll = func() { set.Close(); publisher.Close() }
	if err := set.Connect(ctx, configs); err != nil {
		closeAll()
		return nil, nil, err
	}
	return set, closeAll, nil
}

// AwaitDelivered returns when the outbox is empty: every activity that was committed before has
// been delivered or is a dead letter.
func AwaitDelivered(ctx context.Context, pool *pgxpool.Pool) error {
	backlog := outbox.NewBacklog(pool)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := backlog.Status(ctx, uuid.Nil)
		if err != nil {
			return err
		}
		if status.Pending+status.Parked+status.FanOutJobs == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for deliveries: %d pending, %d parked, %d fan-out jobs: %w",
				status.Pending, status.Parked, status.FanOutJobs, ctx.Err())
		}
	}
}
