package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/internal/guard"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/internal/standby"
	"github.com/fanfarehq/fanfare/preferences"
)

// Options configure a Server. Pool, Authenticator, Channels and Tokens are required; every other
// field may be zero.
type Options struct {
	Pool          *pgxpool.Pool
	Authenticator Authenticator
	Channels      Channels
	Tokens        Tokens

	// Standbys serve reads; nil reads from Pool. Each request that writes waits for them.
	Standbys *standby.Standbys
	// Admits reports whether a tenant's data are in Pool; nil admits every tenant. Streams of
	// tenants that have moved elsewhere end, so that their clients reconnect. Authenticator refuses
	// the requests of such tenants.
	Admits func(tenant uuid.UUID) bool
	// StreamSlots limit the streams of several servers of a process together; nil limits those of
	// this one, by Limits.
	StreamSlots *StreamSlots
	// CursorSecret authenticates cursors; at least 32 bytes. Processes that serve the same clients
	// must share it; it may equal the secret of tokens. Without it, a cursor is valid only in the
	// process that issued it.
	CursorSecret []byte
	// Sessions are those of browsers; nil disables /session, which then responds with 503.
	Sessions *identity.Sessions
	// Publisher publishes changes of inboxes to the clients of their principals; nil disables that.
	Publisher Publisher
	// Streams serve /activities/stream; nil disables that route, which then responds with 503.
	Streams Streams
	// RealtimeURL is the WebSocket URL of Centrifugo for clients.
	RealtimeURL string
	// Catalog renders events; nil renders the default texts.
	Catalog *render.Catalog
	// Filter decides as that of the workers does; nil has their default and no taxonomy.
	Filter *preferences.Filter
	// Examine runs the checks of the installation; nil disables them, and their route responds with
	// 503.
	Examine func(ctx context.Context) (doctor.Report, error)
	// Held reports that the program does not work with the schema of the database: every request is
	// responded to with 503. It is optional.
	Held func() bool
	// StreamTenants reports that the workers publish to the streams of tenants.
	StreamTenants bool
	// Origins are the web origins that may read responses and make changes
	// ("https://app.example.com"); default none.
	Origins []string
	// Console serves the requests below /console/; nil disables them.
	Console http.Handler
	// Reference serves /v1/docs and the paths below it; nil disables them.
	Reference http.Handler
	// Version is the version in the OpenAPI document; default "dev".
	Version string

	Limits   Limits
	Logger   *zap.Logger
	Observer Observer
	Now      func() time.Time // default time.Now
}

// Limits bound the cost of one request. A zero field means its default.
type Limits struct {
	BodyBytes   int64         // default 1 MiB
	URIBytes    int           // default 8 KiB
	HeaderBytes int           // default 16 KiB
	Query       time.Duration // time in the database; default 5 s
	PerSecond   float64       // requests of one principal per second; default 50
	Burst       int           // requests of one principal at once; default 200

	Heartbeat          time.Duration // interval between heartbeats of a stream; default 15 s
	StreamsOfPrincipal int           // concurrent streams of one principal; default 20
	StreamsOfTenant    int           // concurrent streams of one tenant; default 500
	Streams            int           // concurrent streams of the process; default half of Connections
	Connections        int           // open connections of Run; default 10,000
}

func (l Limits) withDefaults() Limits {
	l.BodyBytes = cmp.Or(l.BodyBytes, 1<<20)
	l.URIBytes = cmp.Or(l.URIBytes, 8<<10)
	l.HeaderBytes = cmp.Or(l.HeaderBytes, 16<<10)
	l.Query = cmp.Or(l.Query, 5*time.Second)
	l.PerSecond = cmp.Or(l.PerSecond, 50)
	l.Burst = cmp.Or(l.Burst, 200)
	l.Heartbeat = cmp.Or(l.Heartbeat, heartbeat)
	l.StreamsOfPrincipal = cmp.Or(l.StreamsOfPrincipal, 20)
	l.StreamsOfTenant = cmp.Or(l.StreamsOfTenant, 500)
	l.Connections = cmp.Or(l.Connections, 10_000)
	l.Streams = cmp.Or(l.Streams, max(1, l.Connections/2))
	return l
}

// minCursorSecret is the length of the derived key in bytes.
const minCursorSecret = 32

func (o Options) validate() error {
	var errs []error
	for _, required := range []struct {
		name  string
		given bool
	}{
		{"Pool", o.Pool != nil},
		{"Authenticator", o.Authenticator != nil},
		{"Channels", o.Channels != nil},
		{"Tokens", o.Tokens != nil},
	} {
		if !required.given {
			errs = append(errs, fmt.Errorf("%s is required", required.name))
		}
	}
	if n := len(o.CursorSecret); n > 0 && n < minCursorSecret {
		errs = append(errs, fmt.Errorf("CursorSecret must have at least %d bytes; it has %d", minCursorSecret, n))
	}
	l := o.Limits
	if l.BodyBytes < 0 || l.URIBytes < 0 || l.HeaderBytes < 0 || l.Query < 0 || l.PerSecond < 0 || l.Burst < 0 ||
		min(int(l.Heartbeat), l.StreamsOfPrincipal, l.StreamsOfTenant, l.Streams, l.Connections) < 0 {
		errs = append(errs, errors.New("Limits must not be negative"))
	}
	return errors.Join(errs...)
}

// Server serves the API. It is safe for concurrent use.
type Server struct {
	pool          *pgxpool.Pool
	standbys      *standby.Standbys
	authenticator Authenticator
	channels      Channels
	tokens        Tokens
	publisher     Publisher // nil announces no changes of inboxes
	announcer     *announcer
	streams       Streams
	realtimeURL   string
	catalog       *render.Catalog
	explainer     *explain.Explainer
	examiner      *examiner
	cursors       cursors
	sessions      *identity.Sessions // nil begins none
	limiter       *limiter[activity.Principal]
	signIns       *limiter[netip.Prefix]
	streamSlots   *StreamSlots
	admits        func(tenant uuid.UUID) bool
	limits        Limits
	log           *zap.Logger
	observer      Observer
	guard         guard.Guard // of the observer
	now           func() time.Time
	buffers       sync.Pool // of *[]byte, for the events of streams

	document *huma.OpenAPI
	handler  http.Handler
}

// New returns a Server. Its error reports all violations in the options.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	s := &Server{
		pool: o.Pool, standbys: o.Standbys, authenticator: o.Authenticator, channels: o.Channels, tokens: o.Tokens,
		sessions:  o.Sessions,
		publisher: o.Publisher, streams: o.Streams, realtimeURL: o.RealtimeURL, catalog: o.Catalog,
		limits: o.Limits.withDefaults(), log: o.Logger, observer: o.Observer, now: o.Now,
	}
	if s.standbys == nil {
		s.standbys = standby.New(standby.Options{Primary: o.Pool})
	}
	if o.Filter == nil {
		o.Filter = preferences.NewFilter(nil)
	}
	s.explainer = &explain.Explainer{DB: o.Pool, Filter: o.Filter, Channels: o.Channels, Stream: o.StreamTenants}
	if s.admits = o.Admits; s.admits == nil {
		s.admits = func(uuid.UUID) bool { return true }
	}
	if s.streamSlots = o.StreamSlots; s.streamSlots == nil {
		s.streamSlots = NewStreamSlots(o.Limits)
	}
	s.buffers.New = func() any { return new([]byte) }
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	s.guard = guard.Guard{Log: s.log, Name: "observer of the API"}
	if s.observer == nil {
		s.observer = nopObserver{}
	}
	s.examiner = &examiner{examine: o.Examine, now: s.now}
	s.announcer = newAnnouncer(s.publishUnread, s.log)
	if err := s.build(o); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return s, nil
}

// build registers the routes and wraps them in middlewares.
func (s *Server) build(o Options) (err error) {
	if s.cursors, err = newCursors(cursorSecret(o.CursorSecret)); err != nil {
		return err
	}
	if s.limiter, err = newLimiter[activity.Principal](s.limits.PerSecond, s.limits.Burst, s.now); err != nil {
		return err
	}
	if s.signIns, err = s.limitSignIns(); err != nil {
		return err
	}
	compressed, err := compress()
	if err != nil {
		return err
	}
	sameSite, err := refuseCrossSite(o.Origins)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(noRoutePattern, noRoute(mux))
	routes := humago.NewWithPrefix(mux, prefix, s.config(cmp.Or(o.Version, "dev")))
	routes.UseMiddleware(enter, s.authenticate, s.limitRate, s.refuseInactive, s.checkRequest, s.boundTime)
	s.addRoutes(routes)
	s.document = routes.OpenAPI()
	removeUnused(s.document)
	acceptEmpty(s.document)
	handleNoMethods(mux, s.document)
	if err := serveReference(mux, s.document, o.Reference); err != nil {
		return err
	}
	if err := s.addRefresh(mux); err != nil {
		return err
	}
	serveConsole(mux, o.Console)
	s.handler = mux
	for _, wrap := range []func(http.Handler) http.Handler{
		strictPaths, s.observe, boundHeaders(s.limits.URIBytes, s.limits.HeaderBytes),
		compressed, sameSite, hold(o.Held), allowOrigins(o.Origins), secure, identifyRequests,
	} {
		s.handler = wrap(s.handler)
	}
	return nil
}

// prefix is the prefix of all routes.
const prefix = "/v1"

// addRoutes registers the operations.
func (s *Server) addRoutes(routes huma.API) {
	s.addPreferences(routes)
	s.addTenantPreferences(routes)
	s.addWatchLevels(routes)
	s.addNotifications(routes)
	s.addNotificationTrial(routes)
	s.addSubscriptions(routes)
	s.addWatchers(routes)
	s.addResources(routes)
	s.addPrincipals(routes)
	s.addRealtime(routes)
	s.addActivities(routes)
	s.addRecord(routes)
	s.addDryRun(routes)
	s.addExplain(routes)
	s.addStream(routes)
	s.addExport(routes)
	s.addAudit(routes)
	s.addFacets(routes)
	s.addTaxonomy(routes)
	s.addTaxonomyActions(routes)
	s.addOutbox(routes)
	s.addInstallation(routes)
	s.addRetention(routes)
	s.addMe(routes)
	s.addSignIn(routes)
}

// Handler returns the handler of all requests, including those to unknown paths.
func (s *Server) Handler() http.Handler { return s.handler }

// handle registers an operation. Its handler receives the caller of the request; Server.problem
// maps its errors to problems. It runs the handler again if the plan of a statement was stale, or
// if a standby could not serve a read.
func handle[I, O any](
	s *Server,
	routes huma.API,
	op huma.Operation,
	handler func(ctx context.Context, caller identity.Identity, in *I) (*O, error),
) {
	// checkRequest has validated the request, and read its body within the limits.
	op.SkipValidateParams, op.SkipValidateBody = true, true
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	if op.Security == nil {
		op.Security = requireScope("")
	}
	if op.Method != http.MethodGet { // may be cross-site
		op.Responses = maps.Clone(op.Responses)
		op.Responses[fmt.Sprint(http.StatusForbidden)] = problemResponse(http.StatusForbidden)
	}
	huma.Register(routes, op, func(ctx context.Context, in *I) (*O, error) {
		info := requestInfoOf(ctx)
		serve := func(pool *pgxpool.Pool) (*O, error) {
			info.reads = pool
			return pg.RetryStale(pool, func() (*O, error) { return handler(ctx, info.caller, in) })
		}
		var out *O
		var err error
		if op.Method == http.MethodGet {
			out, err = standby.Read(ctx, s.standbys, serve)
		} else if out, err = serve(s.pool); err == nil {
			s.standbys.Settle(ctx)
		}
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

// reads returns where a request reads what it may read from a standby.
func (s *Server) reads(ctx context.Context) *pgxpool.Pool { return requestInfoOf(ctx).reads }

// enter stores the request and the matched route in the requestInfo.
func enter(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	info := requestInfoOf(r.Context())
	info.request, info.route = r, r.Pattern
	next(ctx)
}

// boundTime limits the duration of requests to Limits.Query. Streams, exports and examinations have
// limits of their own.
func (s *Server) boundTime(ctx huma.Context, next func(huma.Context)) {
	if id := ctx.Operation().OperationID; id == streamOperation || id == exportOperation {
		next(ctx)
		return
	}
	limit := s.limits.Query
	if ctx.Operation().OperationID == doctorOperation {
		limit = max(limit, examineTimeout+time.Second)
	}
	bounded, cancel := context.WithTimeout(ctx.Context(), limit)
	defer cancel()
	next(huma.WithContext(ctx, bounded))
}

// cursorSecret returns the configured secret, or a random one if none is configured.
func cursorSecret(configured []byte) []byte {
	if len(configured) > 0 {
		return configured
	}
	secret := make([]byte, minCursorSecret)
	_, _ = rand.Read(secret) // never fails
	return secret
}
