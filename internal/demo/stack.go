package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	example "github.com/fanfarehq/fanfare/activity/taxonomy/research"
	"github.com/fanfarehq/fanfare/internal/acceptance/apiclient"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/console"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/internal/stream"
	"github.com/fanfarehq/fanfare/migrations"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

const (
	database = "fanfare"

	stopTimeout    = 30 * time.Second
	connectTimeout = 30 * time.Second
)

// stack is everything that runs. It is stopped in the opposite order of its start.
type stack struct {
	options  Options
	tenants  []tenant
	progress func(what, detail string) error

	postgres   *devstack.Postgres
	centrifugo *devstack.Centrifugo
	channels   *centrifugo.Channels
	publisher  *centrifugo.Client
	filter     *preferences.Filter
	catalog    *render.Catalog
	tokens     *centrifugo.Tokens
	issuer     apiclient.Issuer
	sessions   *identity.Sessions
	api        *apiclient.Client
	clients    *clients.Set
	receiver   *receiver

	admin, app, ledger *pgxpool.Pool // of the superuser and of the two roles of the application
	ledgerURL          string
	listener           net.Listener // of the API
	stops              []func(ctx context.Context) error
}

// start starts everything. After an error, too, stop must be called.
func (s *stack) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.startServers, s.prepareDatabase, s.applyTaxonomy, s.connectPublisher,
		s.startWorker, s.startAPI, s.connectClients,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop stops everything that was started, also after errors.
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

// run runs actors until stop.
func (s *stack) run(actors ...func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	for _, act := range actors {
		g.Go(func() error { return act(ctx) })
	}
	s.onStop(func(context.Context) error { cancel(); return g.Wait() })
}

// startServers starts both servers at the same time, after it has found Centrifugo's binary.
func (s *stack) startServers(ctx context.Context) error {
	binary, err := devstack.FindCentrifugo(s.options.Centrifugo)
	if err != nil {
		return err
	}
	// Centrifugo asks the API whether subscriptions go on, and so knows its address first.
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { _ = s.listener.Close(); return nil }) // usually closed by its server
	refreshURL := "http://" + s.listener.Addr().String() + "/v1/realtime/refresh"
	started := time.Now()
	var g errgroup.Group
	var postgresTime, centrifugoTime time.Duration
	g.Go(func() (err error) {
		s.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresOptions{Durable: true})
		postgresTime = time.Since(started)
		return err
	})
	g.Go(func() (err error) {
		s.centrifugo, err = devstack.StartCentrifugo(
			ctx, devstack.CentrifugoOptions{Binary: binary, RefreshURL: refreshURL},
		)
		centrifugoTime = time.Since(started)
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
		s.progress(s.postgres.String(), fmt.Sprintf("private, durable, started in %.1f s", postgresTime.Seconds())),
		s.progress(s.centrifugo.String(),
			fmt.Sprintf("%s, private, started in %.1f s", s.centrifugo.Version().Text, centrifugoTime.Seconds())))
}

// prepareDatabase creates the database with Fanfare's schema, the directory and the application.
func (s *stack) prepareDatabase(ctx context.Context) error {
	err := pg.WithConn(ctx, s.postgres.URL("postgres"), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+database)
		return err
	})
	if err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	admin := s.postgres.URL(database)
	appPassword, ledgerPassword := rand.Text(), rand.Text() // letters and digits
	err = pg.WithConn(ctx, admin, func(conn *pgx.Conn) error {
		applied := 0
		if err := migrations.Up(ctx, conn, migrations.Options{
			Progress:   func(string, string) { applied++ },
			RolePrefix: migrations.DefaultRolePrefix, // sampleSchema names its roles
		}); err != nil {
			return err
		}
		if err := s.progress("schema", fmt.Sprintf("%d migrations applied", applied)); err != nil {
			return err
		}
		if err := rowsOf(s.tenants).Load(ctx, conn); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, fmt.Sprintf(sampleSchema, appPassword, ledgerPassword)); err != nil {
			return fmt.Errorf("create the sample application: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	appURL, appErr := withUser(admin, "demo_app", appPassword)
	ledgerURL, ledgerErr := withUser(admin, "demo_ledger", ledgerPassword)
	if err := errors.Join(appErr, ledgerErr); err != nil {
		return err
	}
	s.ledgerURL = ledgerURL
	return errors.Join(
		s.open(ctx, &s.admin, admin, 16), s.open(ctx, &s.app, appURL, 2), s.open(ctx, &s.ledger, ledgerURL, 2))
}

// applyTaxonomy applies the research taxonomy, enforces it strictly, and loads its texts.
func (s *stack) applyTaxonomy(ctx context.Context) error {
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
	s.catalog, s.filter = &render.Catalog{}, preferences.NewFilter(nil)
	s.filter.SetNotify(taxonomy.NotifyByAction(actions.Actions()))
	if err := s.catalog.Set(actions.Actions()); err != nil {
		return err
	}
	return s.progress("taxonomy", fmt.Sprintf("%d actions, strictly enforced", len(actions.Actions())))
}

// connectPublisher creates the client of Centrifugo's server API.
func (s *stack) connectPublisher(ctx context.Context) (err error) {
	if s.channels, err = centrifugo.ParseFormats(centrifugo.Formats{}); err != nil {
		return err
	}
	s.publisher, err = centrifugo.New(centrifugo.Options{APIURL: s.centrifugo.APIURLs(), APIKey: s.centrifugo.APIKey()})
	if err != nil {
		return err
	}
	s.onStop(func(context.Context) error { s.publisher.Close(); return nil })
	return s.publisher.Ping(ctx)
}

// startWorker runs a worker as the daemon does.
func (s *stack) startWorker(context.Context) error {
	handler := fanout.New(s.publisher, s.channels, s.filter, fanout.Options{Catalog: s.catalog})
	s.run(outbox.NewWorker(s.admin, handler, outbox.Options{Logger: s.options.Logger}).Run)
	return s.progress("worker", "claims lanes, fans out, publishes")
}

// startAPI serves the HTTP API and its streams, as the daemon does, on a free port.
func (s *stack) startAPI(context.Context) error {
	s.issuer = apiclient.NewIssuer()
	s.sessions = identity.NewSessions(identity.NewTokens(s.admin, nil), nil)
	authenticator, err := identity.New(identity.Options{JWT: s.issuer.JWT(), Sessions: s.sessions})
	if err != nil {
		return err
	}
	pages, err := console.New(console.Options{
		RealtimeURL: s.centrifugo.WebSocketURL(), Credentials: []string{api.CredentialJWT, api.CredentialSession},
	})
	if err != nil {
		return err
	}
	s.tokens, err = centrifugo.NewTokens(centrifugo.TokenOptions{Secret: s.centrifugo.TokenSecret()})
	if err != nil {
		return err
	}
	hub := stream.New(stream.Options{
		WebSocketURL: s.centrifugo.WebSocketURL(), Tokens: s.tokens, Channel: s.channels.Tenant, History: s.publisher,
		Log: stream.Recorded{Catalog: s.catalog, Pool: s.admin, Addressed: true}, Logger: s.options.Logger,
	})
	server, err := api.New(api.Options{
		Pool: s.admin, Authenticator: authenticator, Channels: s.channels, Tokens: s.tokens, Publisher: s.publisher,
		Streams: hub, Catalog: s.catalog, Filter: s.filter, Logger: s.options.Logger,
		RealtimeURL: s.centrifugo.WebSocketURL(), Sessions: s.sessions, Console: pages,
	})
	if err != nil {
		return err
	}
	listener := s.listener
	s.run(hub.Run, func(ctx context.Context) error { return server.Run(ctx, listener) })
	s.api = apiclient.New("http://" + listener.Addr().String())
	s.onStop(func(context.Context) error { s.api.Close(); return nil })
	return s.progress("API at "+listener.Addr().String(), "accepts JWTs of this run")
}

// connectClients connects the people with tokens from the API. The screen also subscribes to the
// channels of Momentum 12 and of its tenant.
func (s *stack) connectClients(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	s.receiver = newReceiver(s.channels)
	s.clients = clients.New(clients.Options{
		WebSocketURL: s.centrifugo.WebSocketURL(), Channels: s.channels, Publisher: s.publisher,
		OnMessage: s.receiver.receive,
	})
	s.onStop(func(context.Context) error { s.clients.Close(); return nil })
	var configs []clients.Config
	for _, t := range s.tenants {
		for _, p := range t.people {
			if p.offline {
				continue
			}
			config, err := s.clientOf(ctx, t, p)
			if err != nil {
				return fmt.Errorf("connect %s: %w", p.name, err)
			}
			configs = append(configs, config)
		}
	}
	if err := s.clients.Connect(ctx, configs); err != nil {
		return err
	}
	return s.progress("clients", fmt.Sprintf("%d WebSockets, with tokens from the API", len(configs)))
}

func (s *stack) clientOf(ctx context.Context, t tenant, p person) (config clients.Config, err error) {
	config.Principal = principalOf(t.name, p.name)
	if p.inactive { // the API refuses a new token; the client still has one from before
		config.ConnectionToken = func() (string, error) {
			token, _ := s.tokens.Connection(config.Principal)
			return token, nil
		}
		return config, nil
	}
	var scopes []string
	if p.screen {
		tenant := config.Principal.TenantID
		config.Shared = []string{s.channels.Resource(tenant, resourceID(momentum)), s.channels.Tenant(tenant)}
		scopes = append(scopes, identity.ScopeRead) // the tenant's channel requires it
	}
	token, err := s.issuer.Token(config.Principal, tokenLifetime, scopes...)
	if err != nil {
		return config, err
	}
	realtime := apiclient.Realtime{API: s.api, Token: token}
	boot, err := realtime.Bootstrap(ctx)
	if err != nil {
		return config, err
	}
	if want := s.channels.User(config.Principal); boot.InboxChannel != want {
		return config, fmt.Errorf("inbox channel: got %s from the API, want %s", boot.InboxChannel, want)
	}
	config.ConnectionToken, config.SubscriptionToken = realtime.ConnectionToken, realtime.SubscriptionToken
	return config, nil
}

var errPrivateURL = errors.New("the private server's URL does not parse") // it contains the password

// open opens a pool that stop closes.
func (s *stack) open(ctx context.Context, pool **pgxpool.Pool, databaseURL string, size int32) error {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return errPrivateURL
	}
	config.MaxConns = size
	opened, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	*pool = opened
	s.onStop(func(context.Context) error { opened.Close(); return nil })
	return nil
}

// withUser returns the URL with another role.
func withUser(databaseURL, role, password string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", errPrivateURL
	}
	u.User = url.UserPassword(role, password)
	return u.String(), nil
}
