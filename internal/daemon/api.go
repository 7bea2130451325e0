package daemon

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
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

// apiParts are the parts of the API that all cells share.
type apiParts struct {
	authenticator *identity.Authenticator // of JWTs and identity headers; refreshes their keys
	tokens        *centrifugo.Tokens
	lasting       *centrifugo.Tokens // of the daemon's own subscriptions, which need no permission
	pages         http.Handler       // the console; nil if it is disabled
	reference     http.Handler
	limits        api.Limits
	slots         *api.StreamSlots
}

// serveAPI adds the API: that of the only database, or those of the cells and their router.
func (d *Daemon) serveAPI(ctx context.Context) error {
	parts, err := d.newAPIParts()
	if err != nil {
		return err
	}
	for _, warning := range d.config.ServeWarnings() {
		d.log.Warn("check the settings", zap.String("warning", warning))
	}
	d.actors = append(d.actors, parts.authenticator.Run)
	if !d.hasCells() {
		return d.serveOne(parts)
	}
	return d.serveCells(ctx, parts)
}

// serveOne adds the API of the only database.
func (d *Daemon) serveOne(parts *apiParts) error {
	c := d.cells[0]
	server, _, err := c.newServer(parts, nil)
	if err != nil {
		return err
	}
	d.actors = append(d.actors, c.afterCatalogReady(func(ctx context.Context) error {
		d.logServing()
		return server.Run(ctx, d.apiListener)
	}))
	return nil
}

func (d *Daemon) logServing() {
	d.log.Info("serving the API",
		zap.Stringer("address", d.apiListener.Addr()), zap.Strings("credentials", d.config.Credentials()))
}

func (d *Daemon) newAPIParts() (*apiParts, error) {
	c := d.config
	parts := &apiParts{limits: api.Limits{
		BodyBytes: int64(c.MaxBodyBytes),
		Query:     c.QueryTimeout,
		PerSecond: float64(c.RateLimit),
		Burst:     c.RateBurst,

		StreamsOfPrincipal: c.MaxStreamsPerPrincipal,
		StreamsOfTenant:    c.MaxStreamsPerTenant,
		Connections:        d.connectionLimit(),
	}}
	parts.slots = api.NewStreamSlots(parts.limits)
	var err error
	parts.tokens, err = centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: c.TokenSecret(), ConnectionTTL: c.ConnectionTokenTTL, SubscriptionTTL: c.SubscriptionTokenTTL,
	})
	if err != nil {
		return nil, err
	}
	parts.lasting, err = centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: c.TokenSecret(), ConnectionTTL: c.ConnectionTokenTTL, SubscriptionTTL: ownSubscriptionTTL,
	})
	if err != nil {
		return nil, err
	}
	if parts.authenticator, err = identity.New(d.identityOptions()); err != nil {
		return nil, err
	}
	if parts.pages, err = d.console(); err != nil {
		return nil, err
	}
	parts.reference, err = console.NewReference(nil)
	return parts, err
}

// newServer returns the API of the database for the tenants that admits reports, or for all if it
// is nil, and its authenticator. It adds their actors.
func (c *cell) newServer(
	parts *apiParts, admits func(tenant uuid.UUID) bool,
) (*api.Server, *identity.Authenticator, error) {
	tokens, sessions := c.credentials(admits)
	authenticator := parts.authenticator.Accepting(tokens, sessions, admits)
	c.hub = stream.New(stream.Options{
		WebSocketURL: c.config.CentrifugoWSURL,
		Tokens:       parts.lasting,
		Channel:      c.channels.Tenant,
		History:      c.client,
		Log:          stream.Recorded{Pool: c.pool, Addressed: !c.config.StreamTenants, Catalog: c.catalog},
		Logger:       c.log,
	})
	server, err := api.New(api.Options{
		Pool:          c.pool,
		Standbys:      c.standbys,
		Authenticator: authenticator,
		Channels:      c.channels,
		Tokens:        parts.tokens,
		Sessions:      sessions,
		Admits:        admits,
		StreamSlots:   parts.slots,
		Console:       parts.pages,
		Reference:     parts.reference,
		CursorSecret:  []byte(c.config.TokenSecret()),
		Publisher:     c.client,
		Streams:       c.hub,
		RealtimeURL:   cmp.Or(c.config.RealtimeURL, c.config.CentrifugoWSURL),
		Catalog:       c.catalog,
		Filter:        c.filter,
		StreamTenants: c.config.StreamTenants,
		Examine:       c.examine,
		Held:          c.schema.held,
		Origins:       c.config.CORSOrigins,
		Version:       c.version,
		Limits:        parts.limits,
		Logger:        c.log,
		Observer:      metrics.NewAPI(c.registry),
	})
	if err != nil {
		return nil, nil, err
	}
	metrics.RegisterStreams(c.registry, c.hub.Readers)
	c.actors = append(c.actors, c.schema.hold(authenticator.Run), c.schema.hold(c.hub.Run))
	return server, authenticator, nil
}

// credentials returns the service tokens and the sessions of the database that are accepted, or nil
// for a kind that is not.
func (c *cell) credentials(admits func(tenant uuid.UUID) bool) (tokens *identity.Tokens, sessions *identity.Sessions) {
	all := identity.NewTokens(c.pool, nil).For(admits)
	if c.config.ServiceTokens {
		tokens = all
	}
	if c.config.Console {
		sessions = identity.NewSessions(all, c.config.TrustedProxies)
	}
	return tokens, sessions
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
	permitted := max(4, files-operatorConnections-spareFiles-len(d.cells)*maxConnections(d.role, d.config))
	if permitted < limit {
		d.log.Info("the number of open files limits the connections of clients",
			zap.Int("open_files", files), zap.Int("connections", permitted))
	}
	return min(limit, permitted)
}

// identityOptions are those of the credentials that no database contains.
func (d *Daemon) identityOptions() identity.Options {
	c := d.config
	return identity.Options{
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
