package main

import (
	"context"

	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/internal/stream"
)

// apiConnections is how many connections the API may open: what requests may use, and a few for the
// checks and the tokens' last use.
func apiConnections(c *Config) int { return c.APIConnections + 2 }

// serveAPI adds the API, its streams, and what it needs to know who asks.
func (d *daemon) serveAPI(c *Config) error {
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: c.tokenSecret(), ConnectionTTL: c.ConnectionTokenTTL, SubscriptionTTL: c.SubscriptionTokenTTL,
	})
	if err != nil {
		return err
	}
	authenticator, err := identity.New(d.identityOptions(c))
	if err != nil {
		return err
	}
	hub := stream.New(stream.Options{
		WebSocketURL: c.CentrifugoWSURL,
		Tokens:       tokens,
		Channel:      d.channels.Tenant,
		History:      d.client,
		Log:          stream.Recorded{Pool: d.pool, Addressed: !c.StreamTenants, Phrases: d.phrases},
		Logger:       d.log,
	})
	server, err := api.New(api.Options{
		Pool:          d.pool,
		Authenticator: authenticator,
		Channels:      d.channels,
		Tokens:        tokens,
		CursorSecret:  []byte(c.tokenSecret()),
		Publisher:     d.client,
		Streams:       hub,
		Phrases:       d.phrases,
		Origins:       c.CORSOrigins,
		Version:       releasedAs(),
		Limits: api.Limits{
			BodyBytes: int64(
				c.MaxBodyBytes,
			), Query: c.QueryTimeout, PerSecond: float64(c.RateLimit), Burst: c.RateBurst,
		},
		Logger:   d.log,
		Observer: metrics.NewAPI(d.registry),
	})
	if err != nil {
		return err
	}
	metrics.RegisterStreams(d.registry, hub.Readers)
	d.health.spared = []string{centrifugoName, workerName}
	d.actors = append(d.actors, authenticator.Run, hub.Run, d.oncePhrased(func(ctx context.Context) error {
		d.log.Info("the API is served", zap.Stringer("address", d.listener.Addr()), zap.Strings("accepts", c.accepts()))
		return server.Run(ctx, d.listener)
	}))
	return nil
}

func (d *daemon) identityOptions(c *Config) identity.Options {
	o := identity.Options{
		JWT:            c.jwt(),
		TrustHeaders:   c.TrustIdentityHeaders,
		TrustedProxies: c.TrustedProxies,
		Report:         func(err error) { d.log.Warn("credentials may be out of date", zap.Error(err)) },
	}
	if c.ServiceTokens {
		o.Tokens = identity.NewTokens(d.pool, nil)
	}
	return o
}
