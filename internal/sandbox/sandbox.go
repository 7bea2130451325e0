package sandbox

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/console"
	"github.com/fanfarehq/fanfare/internal/daemon"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/migrations"
)

const (
	database      = "fanfare"
	serviceRole   = "fanfare_dev_app"
	tokenLifetime = 7 * 24 * time.Hour

	stopTimeout  = 30 * time.Second
	startTimeout = time.Minute // from the start of the daemon until the API answers
)

// Options of Run. Out, Err and Version are required.
type Options struct {
	Out        io.Writer // the guide
	Err        io.Writer // warnings of the worker and the API
	Version    string    // of the program
	Centrifugo string    // its binary; "" searches for it, as devstack does
	Environ    []string  // of the programs that the guide calls; nil is that of this process
	Program    string    // the path of fanfare in the guide; "" is that of this process
	Examples   fs.FS     // the example pages; nil are those of the binary
}

// Run starts the servers, the worker and the API, prints the guide, and continues until ctx ends.
// It then stops and removes everything, and returns nil.
func Run(ctx context.Context, o Options) (err error) {
	s := &sandbox{options: o}
	defer func() { err = errors.Join(err, s.stop(ctx)) }()
	if err := s.startServers(ctx); err != nil {
		return err
	}
	if err := s.prepareDatabase(ctx); err != nil {
		return err
	}
	if err := s.listenApplication(ctx); err != nil {
		return err
	}
	d, err := s.newDaemon(ctx)
	if err != nil {
		return err
	}
	g, working := errgroup.WithContext(ctx)
	g.Go(func() error { return d.Run(working) })
	g.Go(func() error { return s.serveApplication(working) })
	g.Go(func() error { return s.guide(working) })
	if err := g.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// sandbox is what runs. It is stopped in the opposite order of its start.
type sandbox struct {
	options    Options
	postgres   *devstack.Postgres
	centrifugo *devstack.Centrifugo
	stops      []func(ctx context.Context) error

	apiURL       string // with /v1
	consoleURL   string
	links        links  // to the console
	webSocketURL string // of Centrifugo
	ownerURL     string // of the database, for the superuser
	serviceURL   string // for a role that may record activities and change projects
	token        string // of Grace, with activity:read

	application    net.Listener // of the example application
	applicationURL string
	jwtSecret      string // of the JWTs of the example application
}

func (s *sandbox) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}

// startServers starts both servers at the same time, after it has found Centrifugo's binary.
func (s *sandbox) startServers(ctx context.Context) error {
	binary, err := devstack.FindCentrifugo(s.options.Centrifugo)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.Go(func() (err error) {
		s.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresOptions{Durable: true})
		return err
	})
	g.Go(func() (err error) {
		s.centrifugo, err = devstack.StartCentrifugo(ctx, devstack.CentrifugoOptions{Binary: binary})
		return err
	})
	err = g.Wait()
	if s.postgres != nil {
		s.stops = append(s.stops, s.postgres.Stop)
	}
	if s.centrifugo != nil {
		s.stops = append(s.stops, s.centrifugo.Stop)
	}
	return err
}

//go:embed sample.sql
var sampleSQL string

// prepareDatabase creates the database with Fanfare's schema, the sample, and a token.
func (s *sandbox) prepareDatabase(ctx context.Context) error {
	if err := pg.WithConn(ctx, s.postgres.URL("postgres"), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+database)
		return err
	}); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	s.ownerURL = s.postgres.URL(database)
	password := rand.Text() // letters and digits
	err := pg.WithConn(ctx, s.ownerURL, func(conn *pgx.Conn) error {
		if err := migrations.Apply(ctx, conn); err != nil {
			return err
		}
		role := fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'; GRANT fanfare_writer TO %[1]s;", serviceRole, password)
		if _, err := conn.Exec(ctx, role+ids.Replace(sampleSQL)); err != nil {
			return fmt.Errorf("load the sample: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	u, err := url.Parse(s.ownerURL)
	if err != nil {
		return errors.New("the private server's URL does not parse") // it contains the password
	}
	u.User = url.UserPassword(serviceRole, password)
	s.serviceURL = u.String()
	return s.createToken(ctx)
}

func (s *sandbox) createToken(ctx context.Context) error {
	pool, err := pgxpool.New(ctx, s.ownerURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	text, _, err := identity.NewTokens(pool, nil).Create(activity.WithActor(ctx, grace), identity.NewToken{
		TenantID: tenant, PrincipalID: grace, Name: "fanfare dev", Scopes: []string{identity.ScopeRead},
		Lifetime: tokenLifetime,
	})
	s.token = string(text)
	return err
}

// newDaemon returns the daemon of fanfare run, with the API on a free port of this machine. It
// ignores the settings of the environment.
func (s *sandbox) newDaemon(ctx context.Context) (*daemon.Daemon, error) {
	s.jwtSecret = rand.Text() + rand.Text()
	values := map[string]string{
		"FANFARE_DATABASE_URL":            s.ownerURL,
		"FANFARE_CENTRIFUGO_API_URL":      s.centrifugo.APIURLs(),
		"FANFARE_CENTRIFUGO_API_KEY":      s.centrifugo.APIKey(),
		"FANFARE_CENTRIFUGO_WS_URL":       s.centrifugo.WebSocketURL(),
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": s.centrifugo.TokenSecret(),
		"FANFARE_JWT_SECRET":              s.jwtSecret,
		"FANFARE_JWT_ISSUER":              jwtIssuer,
		"FANFARE_JWT_AUDIENCE":            jwtAudience,
		"FANFARE_CORS_ORIGINS":            s.applicationURL,
		"FANFARE_LISTEN":                  "127.0.0.1:0",
		"FANFARE_STREAM_TENANTS":          "true",
		"FANFARE_LOG_LEVEL":               "warn",
		"FANFARE_LOG_FORMAT":              "console",
	}
	loaded := config.Load(config.Run(), pflag.NewFlagSet("", pflag.ContinueOnError), func(name string) string {
		return values[name]
	})
	if err := loaded.Validate(); err != nil {
		return nil, err
	}
	log, err := daemon.NewLogger(&loaded.Config, s.options.Err)
	if err != nil {
		return nil, err
	}
	d, err := daemon.New(ctx, daemon.Options{
		Role: daemon.Both, Config: &loaded.Config, Version: s.options.Version, Logger: log,
	})
	if err == nil {
		s.webSocketURL = s.centrifugo.WebSocketURL()
		s.apiURL = "http://" + d.APIAddress().String() + "/v1"
		s.consoleURL = "http://" + d.APIAddress().String() + console.Path
	}
	return d, err
}

// guide prints the guide when the API answers.
func (s *sandbox) guide(ctx context.Context) error {
	if err := s.awaitAPI(ctx); err != nil {
		return err
	}
	dir, err := s.writeFiles()
	if err != nil {
		return err
	}
	if s.links, err = s.newLinks(ctx); err != nil {
		return err
	}
	_, err = io.WriteString(s.options.Out, s.text(dir, findTools(ctx, s.options.Environ, s.options.Program)))
	return err
}

func (s *sandbox) awaitAPI(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.apiURL+"/notifications/unread-count", nil)
		if err != nil {
			return err
		}
		request.Close = true
		request.Header.Set("Authorization", "Bearer "+s.token)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(response.Status)
		}
		if wait.Sleep(ctx, 20*time.Millisecond) != nil {
			return fmt.Errorf("wait for the API: %w", err)
		}
	}
}
