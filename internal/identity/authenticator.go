package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Authenticator tells who sends a request. It is safe for concurrent use; its zero value refuses
// everyone.
type Authenticator struct {
	jwt      *verifier // nil accepts none
	tokens   *Tokens   // nil accepts none
	gateways gateways

	keys    *cache // nil when the keys never change
	refresh time.Duration
	report  func(error)
}

// New checks the options, reads the files that they name, and returns an authenticator. It does not
// connect. Its error tells of every mistake.
func New(o Options) (*Authenticator, error) {
	var wrong mistakes
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	a := &Authenticator{tokens: o.Tokens, gateways: o.gateways(&wrong), report: o.Report}
	if o.JWT.wanted() {
		settings := o.JWT.withDefaults()
		settings.check(&wrong)
		source, cached, err := settings.source(o.Now)
		if err != nil {
			wrong = append(wrong, err)
		}
		a.jwt, a.keys, a.refresh = newVerifier(settings, source, o.Now), cached, settings.JWKSRefresh
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	return a, nil
}

// Authenticate tells who sends a request. The error is a *[Refused] when the request's credential
// does not tell; any other error means that the credential could not be checked now (the issuer's
// key set or the database is out of reach), which an answer 503 says best. It reads the request's
// headers and RemoteAddr, and nothing else of it.
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

// Run keeps the issuer's keys fresh and writes down when service tokens were used, until ctx ends.
// It returns nil then. Without it a key that the issuer withdrew may be believed for a day, and no
// use of a token is written down.
func (a *Authenticator) Run(ctx context.Context) error {
	keys, uses := never(), never()
	if a.keys != nil {
		ticker := time.NewTicker(a.refresh)
		defer ticker.Stop()
		keys = ticker.C
		a.readKeys(ctx)
	}
	if a.tokens != nil {
		ticker := time.NewTicker(useInterval)
		defer ticker.Stop()
		uses = ticker.C
	}
	for {
		select {
		case <-keys:
			a.readKeys(ctx)
		case <-uses:
			a.writeUses(ctx)
		case <-ctx.Done():
			a.writeUses(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// never returns a channel that nothing is sent on.
func never() <-chan time.Time { return nil }

func (a *Authenticator) readKeys(ctx context.Context) {
	if err := a.keys.refresh(ctx); err != nil && !errors.Is(err, context.Canceled) {
		a.report(fmt.Errorf("read the issuer's key set: %w", err))
	}
}

func (a *Authenticator) writeUses(ctx context.Context) {
	if a.tokens == nil {
		return
	}
	if err := a.tokens.writeUses(ctx); err != nil && ctx.Err() == nil {
		a.report(fmt.Errorf("write down the use of service tokens: %w", err))
	}
}
