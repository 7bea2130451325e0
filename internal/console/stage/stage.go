package stage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/acceptance/apiclient"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/daemon"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/wait"
)

const (
	stopTimeout  = 30 * time.Second
	startTimeout = time.Minute // from the start of the daemon until the API answers
	poll         = 5 * time.Millisecond
)

// Options of Start. The zero value serves the console that the daemon contains and logs nothing.
type Options struct {
	// Dist are the console's files. They are read for each request, so that a build of them is
	// served at once. Nil selects those that the daemon contains.
	Dist fs.FS
	// Examples are the example pages. Nil selects those of the binary.
	Examples fs.FS
	// Log receives the warnings of the daemon.
	Log io.Writer
	// Settings are settings of the daemon by the names of their environment variables. They
	// override those of the stage.
	Settings map[string]string
}

// Stage is what runs. Its methods are safe for concurrent use.
type Stage struct {
	// URL is the origin of the API and of the console, without a path.
	URL string
	// ApplicationURL is the origin of an application, which may frame and open the console at
	// EmbeddedURL and give it a JWT. The console at URL has no such application.
	ApplicationURL, EmbeddedURL string
	// ControlURL and Secret give access to the control endpoint.
	ControlURL, Secret string
	// ExamplesURL is the origin of the application whose pages are the examples.
	ExamplesURL string
	// WebSocketURL is the URL of Centrifugo for clients.
	WebSocketURL string
	// DatabaseURL connects to the database as a superuser.
	DatabaseURL string

	options     Options
	issuer      apiclient.Issuer
	postgres    *devstack.Postgres
	centrifugo  *devstack.Centrifugo
	channels    *centrifugo.Channels
	pool        *pgxpool.Pool
	front       net.Listener
	embedded    net.Listener
	application net.Listener
	api         *http.Client // without a proxy
	stops       []func(ctx context.Context) error

	mu    sync.Mutex
	loads map[string]*load // by tenant
}

// Start returns when the API answers. The stage runs until Stop.
func Start(ctx context.Context, options Options) (_ *Stage, err error) {
	if options.Log == nil {
		options.Log = io.Discard
	}
	s := &Stage{
		options: options, Secret: rand.Text(), issuer: apiclient.NewIssuer(), loads: map[string]*load{},
		api: &http.Client{Transport: &http.Transport{}},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(ctx))
		}
	}()
	for _, step := range []func(context.Context) error{
		s.listen, s.startServers, s.prepareDatabase, s.startDaemon, s.serveControl,
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("start the stage: %w", err)
		}
	}
	return s, nil
}

// Stop ends everything in the opposite order of its start. Further calls do nothing.
func (s *Stage) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	s.stopLoads()
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		errs = append(errs, stop(ctx))
	}
	s.stops = nil
	s.api.CloseIdleConnections()
	return errors.Join(errs...)
}

func (s *Stage) onStop(stop func(ctx context.Context) error) { s.stops = append(s.stops, stop) }

// run runs actors until Stop.
func (s *Stage) run(actors ...func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	for _, act := range actors {
		g.Go(func() error { return act(ctx) })
	}
	s.onStop(func(context.Context) error { cancel(); return g.Wait() })
}

// listen chooses the addresses of what the stage serves to browsers.
func (s *Stage) listen(ctx context.Context) error {
	for _, listener := range []*net.Listener{&s.front, &s.embedded, &s.application} {
		opened, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		*listener = opened
		s.onStop(func(context.Context) error { _ = opened.Close(); return nil }) // usually closed by its server
	}
	s.URL = "http://" + s.front.Addr().String()
	s.EmbeddedURL = "http://" + s.embedded.Addr().String()
	s.ApplicationURL = fmt.Sprintf("http://localhost:%d", s.application.Addr().(*net.TCPAddr).Port)
	return nil
}

// startServers starts both servers at the same time. Centrifugo asks the API whether subscriptions
// go on, and so the address of the API is chosen first.
func (s *Stage) startServers(ctx context.Context) (err error) {
	var g errgroup.Group
	g.Go(func() (err error) {
		s.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresOptions{})
		return err
	})
	g.Go(func() (err error) {
		s.centrifugo, err = devstack.StartCentrifugo(ctx, devstack.CentrifugoOptions{
			RefreshURL: s.URL + "/v1/realtime/refresh",
		})
		return err
	})
	err = g.Wait()
	if s.postgres != nil {
		s.onStop(s.postgres.Stop)
	}
	if s.centrifugo != nil {
		s.onStop(s.centrifugo.Stop)
		s.WebSocketURL = s.centrifugo.WebSocketURL()
	}
	return err
}

// startDaemon runs the daemon of fanfare run behind the front. It ignores the settings of the
// environment.
func (s *Stage) startDaemon(ctx context.Context) (err error) {
	if s.channels, err = centrifugo.ParseFormats(centrifugo.Formats{}); err != nil {
		return err
	}
	listener, err := s.listenExamples(ctx)
	if err != nil {
		return err
	}
	jwt := s.issuer.JWT()
	values := map[string]string{
		"FANFARE_DATABASE_URL":            s.DatabaseURL,
		"FANFARE_CENTRIFUGO_API_URL":      s.centrifugo.APIURLs(),
		"FANFARE_CENTRIFUGO_API_KEY":      s.centrifugo.APIKey(),
		"FANFARE_CENTRIFUGO_WS_URL":       s.centrifugo.WebSocketURL(),
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": s.centrifugo.TokenSecret(),
		"FANFARE_JWT_SECRET":              s.issuer.Secret,
		"FANFARE_JWT_ISSUER":              jwt.Issuer,
		"FANFARE_JWT_AUDIENCE":            jwt.Audience,
		"FANFARE_JWT_CLOCK_SKEW":          "1s", // so that tests see tokens expire
		"FANFARE_CORS_ORIGINS":            s.ExamplesURL,
		"FANFARE_LISTEN":                  "127.0.0.1:0",
		"FANFARE_RATE_LIMIT":              "500", // a test opens many pages as one principal
		"FANFARE_RATE_BURST":              "2000",
		"FANFARE_STREAM_TENANTS":          "true",
		"FANFARE_WIDE_AUDIENCE":           "25", // less than the crowd of a world
		"FANFARE_LOG_LEVEL":               "warn",
		"FANFARE_LOG_FORMAT":              "console",
	}
	maps.Copy(values, s.options.Settings)
	loaded := config.Load(config.Run(), pflag.NewFlagSet("", pflag.ContinueOnError), func(name string) string {
		return values[name]
	})
	if err := loaded.Validate(); err != nil {
		return err
	}
	log, err := daemon.NewLogger(&loaded.Config, s.options.Log)
	if err != nil {
		return err
	}
	lifetime, end := context.WithCancel(context.Background())
	d, err := daemon.New(lifetime, daemon.Options{
		Role: daemon.Both, Config: &loaded.Config, Version: "stage", Logger: log,
	})
	if err != nil {
		end()
		return err
	}
	done := make(chan error, 1)
	go func() { done <- d.Run(lifetime) }()
	s.onStop(func(context.Context) error { end(); return <-done })
	s.run(s.hold)
	s.serveFront("http://" + d.APIAddress().String())
	if err := s.serveExamples(listener); err != nil {
		return err
	}
	return s.awaitAPI(ctx)
}

// awaitAPI returns when the API answers at the front.
func (s *Stage) awaitAPI(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/v1/openapi.json", nil)
		if err != nil {
			return err
		}
		response, err := s.api.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(response.Status)
		}
		if wait.Sleep(ctx, poll) != nil {
			return fmt.Errorf("wait for the API: %w", err)
		}
	}
}

// Environ returns the environment variables with which the tests in web/test find the stage.
func (s *Stage) Environ() []string {
	return []string{"FANFARE_STAGE=" + s.ControlURL, "FANFARE_STAGE_SECRET=" + s.Secret}
}
