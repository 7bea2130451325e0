package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// Options say what the API works with. Pool, Authenticator, Channels and Tokens are required; every
// other field may be zero.
type Options struct {
	Pool          *pgxpool.Pool
	Authenticator Authenticator
	Channels      Channels
	Tokens        Tokens

	// CursorSecret authenticates cursors; at least 32 bytes. Processes that serve the same clients
	// share it: the secret of the tokens will do. Without one, a cursor lasts as long as the
	// process that made it.
	CursorSecret []byte
	// Publisher tells a principal's open clients of the new unread count; without one they are not
	// told.
	Publisher Publisher
	// Streams serve /activities/stream; without them that route answers 503.
	Streams Streams
	// Phrases are what events say; without them it is left to the actions' names.
	Phrases *activity.Phrasebook
	// Origins are the web pages that may read the answers ("https://app.example.com"); none by
	// default.
	Origins []string
	// Version is said in the OpenAPI document; default "dev".
	Version string

	Limits   Limits
	Logger   *zap.Logger
	Observer Observer
	Now      func() time.Time // default time.Now
}

// Limits bound what one request may cost. Zero means the default.
type Limits struct {
	BodyBytes   int64         // default 1 MiB
	URIBytes    int           // default 8 KiB
	HeaderBytes int           // default 16 KiB
	Query       time.Duration // how long the database may take over one request; default 5 s
	PerSecond   float64       // requests of one principal; default 50
	Burst       int           // and so many at once; default 200
}

func (l Limits) withDefaults() Limits {
	l.BodyBytes = cmp.Or(l.BodyBytes, 1<<20)
	l.URIBytes = cmp.Or(l.URIBytes, 8<<10)
	l.HeaderBytes = cmp.Or(l.HeaderBytes, 16<<10)
	l.Query = cmp.Or(l.Query, 5*time.Second)
	l.PerSecond = cmp.Or(l.PerSecond, 50)
	l.Burst = cmp.Or(l.Burst, 200)
	return l
}

// minCursorSecret is the length of the key that is derived from it.
const minCursorSecret = 32

func (o Options) validate() error {
	var errs []error
	for _, required := range []struct {
		name  string
		given bool
	}{
		{"Pool", o.Pool != nil}, {"Authenticator", o.Authenticator != nil}, {"Channels", o.Channels != nil}, {"Tokens", o.Tokens != nil},
	} {
		if !required.given {
			errs = append(errs, fmt.Errorf("%s is required", required.name))
		}
	}
	if n := len(o.CursorSecret); n > 0 && n < minCursorSecret {
		errs = append(errs, fmt.Errorf("CursorSecret is %d bytes long, at least %d are needed", n, minCursorSecret))
	}
	l := o.Limits
	if l.BodyBytes < 0 || l.URIBytes < 0 || l.HeaderBytes < 0 || l.Query < 0 || l.PerSecond < 0 || l.Burst < 0 {
		errs = append(errs, errors.New("Limits must not be negative"))
	}
	return errors.Join(errs...)
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	pool          *pgxpool.Pool
	authenticator Authenticator
	channels      Channels
	tokens        Tokens
	publisher     Publisher
	streams       Streams
	phrases       *activity.Phrasebook
	cursors       cursors
	limiter       *limiter
	limits        Limits
	log           *zap.Logger
	observer      Observer
	now           func() time.Time
	buffers       sync.Pool // for the events of streams

	document *huma.OpenAPI
	handler  http.Handler
}

// New checks the options and returns a server. Its error tells of every mistake.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	s := &Server{
		pool: o.Pool, authenticator: o.Authenticator, channels: o.Channels, tokens: o.Tokens, publisher: o.Publisher, streams: o.Streams, phrases: o.Phrases,
		limits: o.Limits.withDefaults(), log: o.Logger, observer: o.Observer, now: o.Now,
	}
	s.buffers.New = func() any { return new([]byte) }
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	if s.observer == nil {
		s.observer = nopObserver{}
	}
	if s.publisher == nil {
		s.publisher = nopPublisher{}
	}
	if err := s.build(o); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return s, nil
}

// build makes the routes and what stands before them.
func (s *Server) build(o Options) (err error) {
	if s.cursors, err = newCursors(cursorSecret(o.CursorSecret)); err != nil {
		return err
	}
	if s.limiter, err = newLimiter(s.limits.PerSecond, s.limits.Burst, s.now); err != nil {
		return err
	}
	compressed, err := compress()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(noRoutePattern, noRoute(mux))
	routes := humago.NewWithPrefix(mux, prefix, s.config(cmp.Or(o.Version, "dev")))
	routes.UseMiddleware(enter, s.authenticate, s.limitRate, s.checkRequest, s.boundTime)
	s.addRoutes(routes)
	s.document = routes.OpenAPI()
	removeUnused(s.document)
	if err := serveReference(mux, s.document); err != nil {
		return err
	}
	s.handler = mux
	for _, wrap := range []func(http.Handler) http.Handler{
		strictPaths, s.observe, boundHeaders(s.limits.URIBytes, s.limits.HeaderBytes), compressed, share(o.Origins), secure, identifyRequests,
	} {
		s.handler = wrap(s.handler)
	}
	return nil
}

// prefix stands before every route.
const prefix = "/v1"

// addRoutes is the table of contents.
func (s *Server) addRoutes(routes huma.API) {
	s.addPreferences(routes)
	s.addNotifications(routes)
	s.addSubscriptions(routes)
	s.addWatchers(routes)
	s.addRealtime(routes)
	s.addActivities(routes)
	s.addStream(routes)
	s.addExport(routes)
	s.addAudit(routes)
	s.addTaxonomy(routes)
	s.addOutbox(routes)
	s.addRetention(routes)
}

// Handler answers every request, whatever its path.
func (s *Server) Handler() http.Handler { return s.handler }

// handle serves one operation. The handler gets who asks; what it returns as an error is answered
// as a Problem.
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
		op.Security = needs("")
	}
	huma.Register(routes, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, requestInfoOf(ctx).caller, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

// enter notes which route answers.
func enter(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	requestInfoOf(r.Context()).route = r.Pattern
	next(ctx)
}

// boundTime bounds how long a request may keep the database busy. Streams and exports go on for
// longer, and have bounds of their own.
func (s *Server) boundTime(ctx huma.Context, next func(huma.Context)) {
	if id := ctx.Operation().OperationID; id == streamOperation || id == exportOperation {
		next(ctx)
		return
	}
	bounded, cancel := context.WithTimeout(ctx.Context(), s.limits.Query)
	defer cancel()
	next(huma.WithContext(ctx, bounded))
}

// cursorSecret makes a secret up where none is given.
func cursorSecret(given []byte) []byte {
	if len(given) > 0 {
		return given
	}
	secret := make([]byte, minCursorSecret)
	_, _ = rand.Read(secret) // never fails
	return secret
}
