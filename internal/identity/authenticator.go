package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Authenticator authenticates requests. It is safe for concurrent use. Its zero value refuses every
// request.
type Authenticator struct {
	jwt      *verifier // nil accepts no JWTs
	tokens   *Tokens   // nil accepts no service tokens
	sessions *Sessions // nil accepts no sessions
	cookie   string    // with a JWT; "" accepts none
	gateways gateways
	admits   func(tenant uuid.UUID) bool

	keys    *cache // nil if the keys never change
	refresh time.Duration
	report  func(error)
}

// New returns an authenticator. It reads the files that the options name, and does not connect to
// anything. Its error reports every violation at once.
func New(o Options) (*Authenticator, error) {
	var invalid violations
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.Admits == nil {
		o.Admits = anyTenant
	}
	if o.SkippedKey == nil {
		o.SkippedKey = func(string, string) {}
	}
	a := &Authenticator{
		tokens: o.Tokens, sessions: o.Sessions, cookie: o.JWTCookie, gateways: o.gateways(&invalid),
		admits: o.Admits, report: o.Report,
	}
	if o.JWT.enabled() {
		o.JWT = o.JWT.withDefaults()
		o.JWT.validate(&invalid)
		source, cached, err := o.keySource()
		if err != nil {
			invalid = append(invalid, err)
		}
		a.jwt, a.keys, a.refresh = newVerifier(o.JWT, source, o.Now), cached, o.JWT.JWKSRefresh
	}
	if err := invalid.err(); err != nil {
		return nil, err
	}
	return a, nil
}

// Authenticate returns the caller of a request. It reads only the request's headers and RemoteAddr.
//
// The error is a *[Refused] if the credential is missing or invalid. Any other error means that the
// credential could not be verified, because the issuer's key set or the database is unavailable;
// the answer should be 503.
func (a *Authenticator) Authenticate(r *http.Request) (Identity, error) {
	token, err := bearer(r.Header)
	switch {
	case err != nil:
		return Identity{}, err
	case token == "":
		return a.withoutBearer(r)
	case strings.HasPrefix(token, tokenPrefix):
		return a.tokens.identify(r.Context(), token, ForServices)
	case a.jwt == nil:
		return Identity{}, refuse(ReasonUnknownKey)
	default:
		return a.admitted(a.jwt.identify(r.Context(), token))
	}
}

// admitted refuses the identity of a tenant that is not admitted.
func (a *Authenticator) admitted(id Identity, err error) (Identity, error) {
	if err == nil && !a.admits(id.TenantID) {
		return Identity{}, refuse(ReasonTenant)
	}
	return id, err
}

// Accepting returns an authenticator that shares the keys of JWTs, and accepts these service tokens
// and sessions, of which either may be nil, and the tenants that admits reports, or all if it is
// nil. The keys are refreshed by Run of a, and not by its own.
func (a *Authenticator) Accepting(
	tokens *Tokens, sessions *Sessions, admits func(tenant uuid.UUID) bool,
) *Authenticator {
	if admits == nil {
		admits = anyTenant
	}
	other := *a
	other.tokens, other.sessions, other.admits, other.keys = tokens, sessions, admits, nil
	return &other
}

// withoutBearer returns the caller of a request without a bearer token: that of a gateway's
// headers, else of a session, else of a JWT in a cookie.
func (a *Authenticator) withoutBearer(r *http.Request) (Identity, error) {
	id, err := a.admitted(a.gateways.identify(r))
	if refusedFor(err, ReasonMissing) {
		id, err = a.sessions.identify(r)
	}
	if refusedFor(err, ReasonMissing) {
		id, err = a.admitted(a.identifyCookie(r))
	}
	return id, err
}

// Run refreshes the issuer's keys, stores the last use of service tokens and sessions, and removes
// codes that have expired, until ctx ends. It returns nil. Without Run, a key that the issuer has
// withdrawn is accepted for up to a day, the last use is not stored, and expired codes remain.
func (a *Authenticator) Run(ctx context.Context) error {
	keys, uses := never(), never()
	if a.keys != nil {
		ticker := time.NewTicker(a.refresh)
		defer ticker.Stop()
		keys = ticker.C
		a.refreshKeys(ctx)
	}
	if a.tokens != nil || a.sessions != nil {
		ticker := time.NewTicker(useInterval)
		defer ticker.Stop()
		uses = ticker.C
	}
	for {
		select {
		case <-keys:
			a.refreshKeys(ctx)
		case <-uses:
			a.storeUses(ctx)
		case <-ctx.Done():
			a.storeUses(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// never returns a channel that never receives.
func never() <-chan time.Time { return nil }

func (a *Authenticator) refreshKeys(ctx context.Context) {
	if err := a.keys.refresh(ctx); err != nil && !errors.Is(err, context.Canceled) {
		a.report(fmt.Errorf("read the issuer's key set: %w", err))
	}
}

func (a *Authenticator) storeUses(ctx context.Context) {
	for _, tokens := range a.allTokens() {
		if err := tokens.storeUses(ctx); err != nil && ctx.Err() == nil {
			a.report(fmt.Errorf("store the last use of service tokens: %w", err))
		}
	}
	if a.sessions == nil || ctx.Err() != nil {
		return
	}
	if err := a.sessions.purge(ctx); err != nil && ctx.Err() == nil {
		a.report(fmt.Errorf("remove expired codes: %w", err))
	}
}

// allTokens returns the tokens whose last use is stored, each once.
func (a *Authenticator) allTokens() (all []*Tokens) {
	if a.tokens != nil {
		all = append(all, a.tokens)
	}
	if a.sessions != nil && a.sessions.tokens != a.tokens {
		all = append(all, a.sessions.tokens)
	}
	return all
}
