package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/pprof"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/apiclient"
	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/stream"
)

// The environment variables that describe a server process. Other users cannot read them.
const (
	databaseVariable = "FANFARE_BENCH_DATABASE_URL"
	apiVariable      = "FANFARE_BENCH_CENTRIFUGO_API_URL"
	keyVariable      = "FANFARE_BENCH_CENTRIFUGO_API_KEY"
	socketVariable   = "FANFARE_BENCH_CENTRIFUGO_WS_URL"
	tokenVariable    = "FANFARE_BENCH_CENTRIFUGO_TOKEN_SECRET"
	jwtVariable      = "FANFARE_BENCH_JWT_SECRET"
	profileVariable  = "FANFARE_BENCH_CPUPROFILE"
)

// apiServer is the HTTP API in a process of its own.
type apiServer struct {
	*child
	url    string
	issuer apiclient.Issuer
}

// startServer returns when the API accepts requests. profile is the file of a CPU profile of the
// server, or "".
func startServer(db *stack.Database, server *devstack.Centrifugo, profile string) (*apiServer, error) {
	issuer := apiclient.NewIssuer()
	c, err := startChild("server", databaseVariable+"="+db.URL, apiVariable+"="+server.APIURLs(),
		keyVariable+"="+server.APIKey(), socketVariable+"="+server.WebSocketURL(),
		tokenVariable+"="+server.TokenSecret(), jwtVariable+"="+issuer.Secret, profileVariable+"="+profile)
	if err != nil {
		return nil, err
	}
	return &apiServer{child: c, url: "http://" + c.line + "/v1", issuer: issuer}, nil
}

// token returns a JWT of a principal.
func (s *apiServer) token(p activity.Principal, scopes ...string) (string, error) {
	return s.issuer.Token(p, time.Hour, scopes...)
}

// newServer returns the hidden subcommand that serves the API as the daemon does, without rate
// limits.
func newServer() *cobra.Command { return newChild("server", serve) }

func serve(ctx context.Context) (err error) {
	client, err := centrifugo.New(centrifugo.Options{APIURL: os.Getenv(apiVariable), APIKey: os.Getenv(keyVariable)})
	if err != nil {
		return err
	}
	defer client.Close()
	pool, err := stack.NewPool(ctx, os.Getenv(databaseVariable), 16)
	if err != nil {
		return err
	}
	defer pool.Close()
	channels, formatsErr := centrifugo.ParseFormats(centrifugo.Formats{})
	tokens, tokensErr := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: os.Getenv(tokenVariable)})
	authenticator, identityErr := identity.New(identity.Options{
		JWT: apiclient.Issuer{Secret: os.Getenv(jwtVariable)}.JWT(),
	})
	if err := errors.Join(formatsErr, tokensErr, identityErr); err != nil {
		return err
	}
	hub := stream.New(stream.Options{
		WebSocketURL: os.Getenv(socketVariable), Tokens: tokens, Channel: channels.Tenant, History: client,
		Log: stream.Recorded{Pool: pool, Addressed: true}, Logger: warnings(),
	})
	server, err := api.New(api.Options{
		Pool: pool, Authenticator: authenticator, Channels: channels, Tokens: tokens, Publisher: client, Streams: hub,
		Limits: api.Limits{
			PerSecond: 1e9, Burst: 1 << 30, Connections: 1 << 20, StreamsOfTenant: 1 << 20, StreamsOfPrincipal: 1 << 20,
		},
		Logger: warnings(),
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	stopProfile, err := profileTo(os.Getenv(profileVariable))
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return hub.Run(ctx) })
	g.Go(func() error { return server.Run(ctx, listener) })
	_, _ = fmt.Fprintln(os.Stdout, listener.Addr())
	return cmp.Or(g.Wait(), stopProfile())
}

// profileTo writes a CPU profile to a file until stop is called. With "" it does nothing.
func profileTo(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error { pprof.StopCPUProfile(); return file.Close() }, nil
}
