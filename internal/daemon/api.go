package daemon

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/console"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/internal/stream"
)

// apiConnections is the maximum number of connections that the API opens: those of requests, one
// for health checks, one for the last use of service tokens, and one for the checks of the
// installation.
func apiConnections(c *config.Config) int { return c.APIConnections + 3 }

// serveAPI adds the API, its streams and its authenticator.
func (d *Daemon) serveAPI() error {
	c := d.config
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: c.TokenSecret(), ConnectionTTL: c.ConnectionTokenTTL, SubscriptionTTL: c.SubscriptionTokenTTL,
	})
	if err != nil {
		return err
	}
	options := d.identityOptions()
	authenticator, err := identity.New(options)
	if err != nil {
		return err
	}
	pages, err := d.console()
	if err != nil {
		return err
	}
	reference, err := console.NewReference(nil)
	if err != nil {
		return err
	}
	// The daemon's own subscriptions need no permission, so that their tokens may last.
	lasting, err := centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: c.TokenSecret(), ConnectionTTL: c.ConnectionTokenTTL, SubscriptionTTL: ownSubscriptionTTL,
	})
	if err != nil {
		return err
	}
	hub := stream.New(stream.Options{
		WebSocketURL: c.CentrifugoWSURL,
		Tokens:       lasting,
		Channel:      d.channels.Tenant,
		History:      d.client,
		Log:          stream.Recorded{Pool: d.pool, Addressed: !c.StreamTenants, Catalog: d.catalog},
		Logger:       d.log,
	})
	server, err := api.New(api.Options{
		Pool:          d.pool,
		Standbys:      d.standbys,
		Authenticator: authenticator,
		Channels:      d.channels,
		Tokens:        tokens,
		Sessions:      options.Sessions,
		Console:       pages,
		Reference:     reference,
		CursorSecret:  []byte(c.TokenSecret()),
		Publisher:     d.client,
		Streams:       hub,
		RealtimeURL:   cmp.Or(c.RealtimeURL, c.CentrifugoWSURL),
		Catalog:       d.catalog,
		Filter:        d.filter,
		StreamTenants: c.StreamTenants,
		Examine:       d.examine,
		Origins:       c.CORSOrigins,
		Version:       d.version,
		Limits: api.Limits{
			BodyBytes: int64(c.MaxBodyBytes),
			Query:     c.QueryTimeout,
			PerSecond: float64(c.RateLimit),
			Burst:     c.RateBurst,

			StreamsOfPrincipal: c.MaxStreamsPerPrincipal,
			StreamsOfTenant:    c.MaxStreamsPerTenant,
			Connections:        d.connectionLimit(),
		},
		Logger:   d.log,
		Observer: metrics.NewAPI(d.registry),
	})
	if err != nil {
		return err
	}
	metrics.RegisterStreams(d.registry, hub.Readers)
	d.health.optional = []string{centrifugoName, workerName}
	for _, warning := range c.ServeWarnings() {
		d.log.Warn("check the settings", zap.String("warning", warning))
	}
	serve := d.afterCatalogReady(func(ctx context.Context) error {
		d.log.Info("serving the API",
			zap.Stringer("address", d.apiListener.Addr()), zap.Strings("credentials", c.Credentials()))
		return server.Run(ctx, d.apiListener)
	})
	d.actors = append(d.actors, d.schema.hold(authenticator.Run), d.schema.hold(hub.Run), serve)
	return nil
}

// ownSubscriptionTTL is the lifetime of the daemon's own tokens, with which it subscribes for its
// streams.
const ownSubscriptionTTL = 24 * time.Hour

// operatorConnections is the maximum number of connections to the operator's endpoints.
const operatorConnections = 32

// spareFiles is the number of files that a daemon opens besides connections of clients and of the
// database.
const spareFiles = 32

// connectionLimit returns the maximum number of connections of the API's clients: what the settings
// permit, and what the process may open besides its connections for metrics, health and the
// database.
func (d *Daemon) connectionLimit() int {
	limit := d.config.MaxConnections
	files, known := maxOpenFiles()
	if !known {
		return limit
	}
	permitted := max(4, files-operatorConnections-spareFiles-d.maxConnections())
	if permitted < limit {
		d.log.Info("the number of open files limits the connections of clients",
			zap.Int("open_files", files), zap.Int("connections", permitted))
	}
	return min(limit, permitted)
}

func (d *Daemon) identityOptions() identity.Options {
	c := d.config
	o := identity.Options{
		JWT:            c.JWT(),
		TrustHeaders:   c.TrustIdentityHeaders,
		TrustedProxies: c.TrustedProxies,
		AllowedHosts:   c.AllowedHosts,
		JWTCookie:      c.SessionCookie,
		Report:         func(err error) { d.log.Warn("authentication task failed", zap.Error(err)) },
		SkippedKey: func(id, reason string) {
			d.log.Warn("a key of the issuer's key set is not used", zap.String("kid", id), zap.String("reason", reason))
		},
	}
	tokens := identity.NewTokens(d.pool, nil)
	if c.ServiceTokens {
		o.Tokens = tokens
	}
	if c.Console {
		o.Sessions = identity.NewSessions(tokens, c.TrustedProxies)
	}
	return o
}

// console returns the handler of the console, or nil if it is disabled.
func (d *Daemon) console() (http.Handler, error) {
	c := d.config
	if !c.Console {
		return nil, nil
	}
	kinds := []string{api.CredentialSession}
	for kind, accepted := range map[string]bool{
		api.CredentialJWT: c.AcceptsJWT(), api.CredentialServiceToken: c.ServiceTokens,
		api.CredentialGateway: c.TrustIdentityHeaders,
	} {
		if accepted {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return console.New(console.Options{
		RealtimeURL: cmp.Or(c.RealtimeURL, c.CentrifugoWSURL), Origins: c.ConsoleOrigins, Version: d.version,
		Credentials: kinds,
	})
}
