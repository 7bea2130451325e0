package demo

import (
	"context"
	"net"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/stream"
)

// startAPI serves the HTTP API and its streams as the daemon does, on a port that is free.
func (s *stack) startAPI(ctx context.Context, logger *zap.Logger, told progress) error {
	s.login = newLogin()
	authenticator, err := identity.New(identity.Options{JWT: s.login.accepted()})
	if err != nil {
		return err
	}
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: s.centrifugo.TokenSecret()})
	if err != nil {
		return err
	}
	hub := stream.New(stream.Options{
		WebSocketURL: s.centrifugo.WebSocketURL(), Tokens: tokens, Channel: s.channels.Tenant, History: s.publisher,
		Log: stream.Recorded{Phrases: s.phrases, Pool: s.admin, Addressed: true}, Logger: logger,
	})
	server, err := api.New(api.Options{
		Pool: s.admin, Authenticator: authenticator, Channels: s.channels, Tokens: tokens, Publisher: s.publisher, Streams: hub, Phrases: s.phrases, Logger: logger,
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	g, running := errgroup.WithContext(running)
	g.Go(func() error { return hub.Run(running) })
	g.Go(func() error { return server.Run(running, listener) })
	s.api = newClient("http://" + listener.Addr().String())
	s.onStop(func(context.Context) error {
		s.api.close()
		cancel()
		return g.Wait()
	})
	return told("API at "+listener.Addr().String(), "people and programs ask it, with JWTs of this run")
}
