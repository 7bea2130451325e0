package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Authenticator authenticates requests. It is safe for concurrent use. Its zero value refuses every
// request.
type Authenticator struct {
	jwt      *verifier // nil accepts no JWTs
	tokens   *Tokens   // nil accepts no service tokens
	gateways gateways

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
	if o.SkippedKey == nil {
		o.SkippedKey = func(string, string) {}
	}
	a := &Authenticator{tokens: o.Tokens, gateways: o.gateways(&invalid), report: o.Report}
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
		return a.gateways.identify(r)
	case strings.HasPrefix(token, tokenPrefix):
		return a.tokens.identify(r.Context(), token)
	case a.jwt == nil:
		return Identity{}, refuse(ReasonUnknownKey)
	default:
		return a.jwt.identify(r.Context(), token)
	}
}

// Run refreshes the issuer's keys and stores the last use of service tokens, until ctx ends. It
// returns nil. Without Run, a key that the issuer has withdrawn is accepted for up to a day, and
// the last use of tokens is not stored.
func (a *Authenticator) Run(ctx context.Context) error {
	keys, uses := never(), never()
	if a.keys != nil {
		ticker := time.NewTicker(a.refresh)
		defer ticker.Stop()
		keys = ticker.C
		a.refreshKeys(ctx)
	}
	if a.tokens != nil {
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
	if a.tokens == nil {
		return
	}
	if err := a.tokens.storeUses(ctx); err != nil && ctx.Err() == nil {
		a.report(fmt.Errorf("store the last use of service tokens: %w", err))
	}
}
