package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

const (
	// CodeLifetime is how long a code may be used.
	CodeLifetime = 5 * time.Minute
	// MaxSessionLifetime is the maximum, and the usual, lifetime of a session.
	MaxSessionLifetime = 12 * time.Hour

	minSessionLifetime = time.Minute
	sessionName        = "console"
	purgeBatch         = 1000
)

// Sessions are the sessions of all tenants, and the codes that begin them. A session is a token
// with the purpose ForSessions. It is safe for concurrent use.
type Sessions struct {
	tokens  *Tokens
	proxies []netip.Prefix
}

// NewSessions returns the sessions among the tokens of a database. The proxies are the networks of
// the immediate peers whose header X-Forwarded-Proto is trusted.
func NewSessions(tokens *Tokens, proxies []netip.Prefix) *Sessions {
	return &Sessions{tokens: tokens, proxies: slices.Clone(proxies)}
}

// NewSession describes a session that a code begins.
type NewSession struct {
	TenantID    uuid.UUID
	PrincipalID uuid.UUID     // the principal that the session acts as
	Scopes      []string      // scopes of Fanfare; may be empty
	Lifetime    time.Duration // from a minute to MaxSessionLifetime; 0 means MaxSessionLifetime
}

// Validate reports every violation at once, as an [invalid.Error]. Its fields are called as those
// of [NewToken.Validate].
func (n NewSession) Validate() error {
	err := n.token().Validate()
	if n.Lifetime == 0 || n.Lifetime >= minSessionLifetime && n.Lifetime <= MaxSessionLifetime {
		return err
	}
	input, ok := errors.AsType[*invalid.Error](err)
	if !ok {
		input = &invalid.Error{Subject: "session"}
	}
	input.Fields = append(
		slices.DeleteFunc(input.Fields, func(f invalid.Field) bool { return f.Name == "expires_in" }),
		invalid.Field{
			Name: "expires_in", Value: n.Lifetime.String(),
			Rule: fmt.Sprintf("must be from %s to %s", minSessionLifetime, MaxSessionLifetime),
		})
	return input
}

// Granted returns the scopes of Fanfare among the session's.
func (n NewSession) Granted() Scopes { return knownScopes(n.Scopes) }

func (n NewSession) token() NewToken {
	if n.Lifetime == 0 {
		n.Lifetime = MaxSessionLifetime
	}
	return NewToken{
		TenantID: n.TenantID, PrincipalID: n.PrincipalID, Name: sessionName, Scopes: n.Scopes, Lifetime: n.Lifetime,
	}
}

// Issue returns a code that begins a session once, and until when. The code is not stored.
func (s *Sessions) Issue(ctx context.Context, n NewSession) (code Secret, expires time.Time, err error) {
	if err := n.Validate(); err != nil {
		return "", time.Time{}, err
	}
	text := newCode(n.TenantID)
	sum := sha256.Sum256([]byte(text))
	now := s.tokens.now().UTC().Truncate(time.Microsecond)
	expires = now.Add(CodeLifetime)
	token := n.token()
	const insert = `
		INSERT INTO fanfare.sign_in_codes (hash, tenant_id, principal_id, created_at, expires_at, lifetime, scopes)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	if _, err := s.tokens.db.Exec(ctx, insert, sum[:], token.TenantID, token.PrincipalID, now, expires,
		token.Lifetime, []string(n.Granted())); err != nil {
		return "", time.Time{}, fmt.Errorf("issue a code: %w", err)
	}
	return text, expires, nil
}

// ErrNotPermitted is the error of a code whose principal may not have a session.
var ErrNotPermitted = errors.New("the principal may not have a session")

// Begin begins the session of a code, which is then used. permit reports whether the principal may
// have a session, by the transaction; if it may not, the error is [ErrNotPermitted]. In the same
// transaction, Begin records token.created, by the principal. The error is a *[Refused] if the code
// is unknown, used or expired. After any other error, the code may be used again.
func (s *Sessions) Begin(
	ctx context.Context, code string, permit func(context.Context, pg.Querier, activity.Principal) (bool, error),
) (text Secret, token Token, err error) {
	tenant, ok := TenantOfCode(code)
	if !ok || !s.tokens.admits(tenant) {
		return "", Token{}, refuse(ReasonCode)
	}
	permitted := false
	err = pgx.BeginFunc(ctx, s.tokens.db, func(tx pgx.Tx) error {
		n, err := s.claim(ctx, tx, tenant, code)
		if err != nil {
			return err
		}
		principal := activity.Principal{TenantID: n.TenantID, PrincipalID: n.PrincipalID}
		if permitted, err = permit(ctx, tx, principal); err != nil || !permitted {
			return err // without an error, this commits
		}
		text, token, err = s.tokens.insert(activity.WithActor(ctx, n.PrincipalID), tx, n, ForSessions)
		return err
	})
	switch {
	case refusedFor(err, ReasonCode):
		return "", Token{}, err
	case err != nil:
		return "", Token{}, fmt.Errorf("begin a session: %w", err)
	case !permitted:
		return "", Token{}, ErrNotPermitted
	}
	return text, token, nil
}

// claim removes a code of a tenant and returns what it permits. The index finds the hash of a code,
// which discloses nothing by the time that it takes.
func (s *Sessions) claim(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, code string) (NewToken, error) {
	sum := sha256.Sum256([]byte(code))
	const claim = `
		DELETE FROM fanfare.sign_in_codes WHERE tenant_id = $1 AND hash = $2
		RETURNING principal_id, scopes, lifetime, expires_at`
	n := NewSession{TenantID: tenant}
	var expires time.Time
	err := tx.QueryRow(ctx, claim, tenant, sum[:]).Scan(&n.PrincipalID, &n.Scopes, &n.Lifetime, &expires)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !s.tokens.now().Before(expires) {
		err = refuse(ReasonCode)
	}
	return n.token(), err
}

// identify returns the identity of the session of a request.
func (s *Sessions) identify(r *http.Request) (Identity, error) {
	if s == nil {
		return Identity{}, refuse(ReasonMissing)
	}
	token, err := s.tokenOf(r)
	switch {
	case err != nil:
		return Identity{}, err
	case token == "":
		return Identity{}, refuse(ReasonMissing)
	case !isSameOrigin(r):
		return Identity{}, refuse(ReasonCrossSite)
	}
	return s.tokens.identify(r.Context(), token, ForSessions)
}

// tokenOf returns the token of the session of a request, or "". Over TLS, only the cookie counts
// that no other host can set.
func (s *Sessions) tokenOf(r *http.Request) (string, error) {
	token, err := cookieOf(r, secureSessionCookie)
	if err == nil && token == "" && !isSecure(r, s.proxies) {
		return cookieOf(r, sessionCookie)
	}
	return token, err
}

// End revokes the session of a request. A request without a session, or with one that has ended,
// changes nothing. The error is a *[Refused] if the request may not use the cookie.
func (s *Sessions) End(r *http.Request) error {
	id, err := s.identify(r)
	switch {
	case err == nil:
		_, err = s.tokens.Revoke(activity.WithActor(r.Context(), id.PrincipalID), id.TenantID, id.TokenID)
	case refusedFor(err, ReasonCrossSite):
	default:
		if _, refused := errors.AsType[*Refused](err); refused {
			err = nil
		}
	}
	return err
}

// Cookie returns the cookie of a session for the answer to a request.
func (s *Sessions) Cookie(r *http.Request, text Secret, expires time.Time) *http.Cookie {
	c := &http.Cookie{
		Name: sessionCookie, Value: string(text), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		MaxAge: int(expires.Sub(s.tokens.now()).Round(time.Second).Seconds()),
	}
	if isSecure(r, s.proxies) {
		c.Name, c.Secure = secureSessionCookie, true
	}
	return c
}

// Expired returns the cookie that removes the session of a request from the browser.
func (s *Sessions) Expired(r *http.Request) *http.Cookie {
	c := s.Cookie(r, "", s.tokens.now())
	c.MaxAge = -1
	return c
}

// purge removes codes that have expired, of all tenants.
func (s *Sessions) purge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, usesTimeout)
	defer cancel()
	const purge = `
		DELETE FROM fanfare.sign_in_codes WHERE hash IN (
		    SELECT hash FROM fanfare.sign_in_codes WHERE expires_at <= $1 LIMIT $2)`
	_, err := s.tokens.db.Exec(ctx, purge, s.tokens.now(), purgeBatch)
	return err
}
