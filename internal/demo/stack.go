package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	example "github.com/fanfarehq/fanfare/activity/taxonomy/research"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/migrations"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

const (
	database = "fanfare"

	// stopTimeout bounds the teardown when a server does not want to end.
	stopTimeout = 30 * time.Second
)

// stack is everything that runs. What is started is stopped in the opposite order.
type stack struct {
	postgres   *devstack.Postgres
	centrifugo *devstack.Centrifugo
	login      login
	api        *client
	channels   *centrifugo.Channels
	publisher  *centrifugo.Client
	filter     *preferences.Filter
	phrases    *activity.Phrasebook
	admin      *pgxpool.Pool // the superuser's: the worker's, the API's and the observer's
	app        *pgxpool.Pool
	ledger     *pgxpool.Pool
	listeners  *listeners

	appURL, ledgerURL string
	stops             []func(ctx context.Context) error
}

// progress is told of each thing that is up.
type progress func(what, detail string) error

// start brings everything up. After an error, too, stop must be called.
func (s *stack) start(ctx context.Context, o Options, tenants []tenant, told progress) error {
	for _, step := range []func() error{
		func() error { return s.startServers(ctx, o.Centrifugo, told) },
		func() error { return s.prepareDatabase(ctx, tenants, told) },
		func() error { return s.applyTaxonomy(ctx, told) },
		func() error { return s.connectPublisher(ctx) },
		func() error { return s.startWorker(o.Logger, told) },
		func() error { return s.startAPI(ctx, o.Logger, told) },
		func() error { return s.connectListeners(ctx, tenants, told) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// stop takes everything down, whatever it finds on the way.
func (s *stack) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		errs = append(errs, stop(ctx))
	}
	s.stops = nil
	return errors.Join(errs...)
}

func (s *stack) onStop(stop func(ctx context.Context) error) { s.stops = append(s.stops, stop) }

// startServers starts both servers at once. A missing Centrifugo is told before anything starts.
func (s *stack) startServers(ctx context.Context, binary string, told progress) error {
	binary, err := devstack.FindCentrifugo(binary)
	if err != nil {
		return err
	}
	begun := time.Now()
	var g errgroup.Group
	var postgresUp, centrifugoUp time.Duration
	g.Go(func() (err error) {
		s.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresOptions{Durable: true})
		postgresUp = time.Since(begun)
		return err
	})
	g.Go(func() (err error) {
		s.centrifugo, err = devstack.StartCentrifugo(ctx, devstack.CentrifugoOptions{Binary: binary})
		centrifugoUp = time.Since(begun)
		return err
	})
	err = g.Wait()
	if s.postgres != nil {
		s.onStop(s.postgres.Stop)
	}
	if s.centrifugo != nil {
		s.onStop(s.centrifugo.Stop)
	}
	if err != nil {
		return err
	}
	return errors.Join(
		told(s.postgres.String(), "private, durable, up after "+seconds(postgresUp)),
		told(s.centrifugo.String(), "private, up after "+seconds(centrifugoUp)))
}

// prepareDatabase makes the database, its schema and what is in it.
func (s *stack) prepareDatabase(ctx context.Context, tenants []tenant, told progress) error {
	err := withConn(ctx, s.postgres.URL("postgres"), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+database)
		return err
	})
	if err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	admin := s.postgres.URL(database)
	appPassword, ledgerPassword := rand.Text(), rand.Text()
	err = withConn(ctx, admin, func(conn *pgx.Conn) error {
		var unsaid error
		err := migrations.Up(ctx, conn, func(name, _ string) { unsaid = errors.Join(unsaid, told("migration", name)) })
		if err = errors.Join(err, unsaid); err != nil {
			return err
		}
		return load(ctx, conn, tenants, appPassword, ledgerPassword)
	})
	if err != nil {
		return err
	}
	if s.appURL, err = as(admin, "demo_app", appPassword); err != nil {
		return err
	}
	if s.ledgerURL, err = as(admin, "demo_ledger", ledgerPassword); err != nil {
		return err
	}
	return errors.Join(
		s.open(ctx, &s.admin, admin, 16),
		s.open(ctx, &s.app, s.appURL, 2),
		s.open(ctx, &s.ledger, s.ledgerURL, 2),
	)
}

// applyTaxonomy applies the research taxonomy, enforces it strictly, and loads its texts.
func (s *stack) applyTaxonomy(ctx context.Context, told progress) error {
	actions, err := taxonomy.Parse(strings.NewReader(example.File))
	if err != nil {
		return err
	}
	if _, err := taxonomy.Apply(ctx, s.admin, actions, taxonomy.ApplyOptions{}); err != nil {
		return err
	}
	if err := taxonomy.SetMode(ctx, s.admin, uuid.Nil, taxonomy.Strict); err != nil {
		return err
	}
	s.phrases = activity.NewPhrasebook(s.admin, nil)
	if err := s.phrases.Refresh(ctx); err != nil {
		return err
	}
	return told("taxonomy", fmt.Sprintf("%d actions, strictly enforced", len(actions.Actions())))
}

// connectPublisher makes the client of Centrifugo's API.
func (s *stack) connectPublisher(ctx context.Context) (err error) {
	if s.channels, err = centrifugo.ParseFormats(centrifugo.Formats{}); err != nil {
		return err
	}
	s.publisher, err = centrifugo.New(centrifugo.Options{APIURL: s.centrifugo.APIURL(), APIKey: s.centrifugo.APIKey()})
	if err != nil {
		return err
	}
	s.onStop(func(context.Context) error { s.publisher.Close(); return nil })
	return s.publisher.Ping(ctx)
}

// startWorker runs a worker as the daemon does.
func (s *stack) startWorker(logger *zap.Logger, told progress) error {
	s.filter = preferences.NewFilter(nil)
	worker := outbox.NewWorker(
		s.admin,
		fanout.New(s.publisher, s.channels, s.filter, fanout.Options{Phrases: s.phrases}),
		outbox.Options{Logger: logger},
	)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	s.onStop(func(context.Context) error {
		cancel()
		return <-ended
	})
	return told("worker", "claims lanes, fans out, publishes")
}

// connectListeners connects the people.
func (s *stack) connectListeners(ctx context.Context, tenants []tenant, told progress) error {
	s.listeners = newListeners(s.centrifugo.WebSocketURL(), s.api, s.login, s.publisher, s.channels)
	s.onStop(func(context.Context) error { s.listeners.close(); return nil })
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.listeners.connect(ctx, tenants); err != nil {
		return err
	}
	return told("clients", fmt.Sprintf("%d WebSockets, with tokens that the API gave", len(s.listeners.clients)))
}

// open makes a pool that stop closes.
func (s *stack) open(ctx context.Context, pool **pgxpool.Pool, databaseURL string, size int32) error {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return errors.New("the private server's URL does not parse") // the error would show it, with its password
	}
	config.MaxConns = size
	made, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	*pool = made
	s.onStop(func(context.Context) error { made.Close(); return nil })
	return nil
}

func withConn(ctx context.Context, databaseURL string, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return do(conn)
}

// as returns the URL with another role in it.
func as(databaseURL, role, password string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", errors.New("the private server's URL does not parse")
	}
	u.User = url.UserPassword(role, password)
	return u.String(), nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
