package identity_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// newSessions returns the sessions of a new database, and an authenticator that accepts them and
// service tokens.
func newSessions(t testing.TB, c *clock) (*identity.Sessions, *identity.Authenticator, *pgtest.DB) {
	t.Helper()
	tokens, _, db := newTokens(t, c)
	sessions := identity.NewSessions(tokens, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	return sessions, build(t, identity.Options{Tokens: tokens, Sessions: sessions, Now: c.now}), db
}

func anyone(context.Context, pg.Querier, activity.Principal) (bool, error) { return true, nil }

func issue(t testing.TB, sessions *identity.Sessions, who someone, scopes ...string) string {
	t.Helper()
	code, _, err := sessions.Issue(t.Context(), identity.NewSession{
		TenantID: who.tenant, PrincipalID: who.principal, Scopes: scopes,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(code)
}

func signIn(t testing.TB, sessions *identity.Sessions, code string) (string, identity.Token) {
	t.Helper()
	text, token, err := sessions.Begin(t.Context(), code, anyone)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), token
}

func withSession(text string) *http.Request { return request("Cookie", "fanfare_session="+text) }

func wantNoCode(t testing.TB, what string, sessions *identity.Sessions, code string) {
	t.Helper()
	text, token, err := sessions.Begin(t.Context(), code, anyone)
	refused, ok := errors.AsType[*identity.Refused](err)
	if !ok || refused.Reason != identity.ReasonCode || text != "" || token.ID != uuid.Nil {
		t.Errorf("%s: got %v and the session %v, want it refused", what, err, token)
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	sessions, a, db := newSessions(t, c)
	code := issue(t, sessions, who, identity.ScopeRead, identity.ScopeInstallation)
	text, token := signIn(t, sessions, code)
	got := wantSomeone(t, a, withSession(text), who)
	if got.Via != identity.ViaSession || got.TokenID != token.ID || !got.Expires.Equal(c.now().Add(12*time.Hour)) ||
		len(got.Scopes) != 2 || !got.Scopes.Has(identity.ScopeInstallation) || got.Scopes.Has(identity.ScopeAdmin) {
		t.Errorf("got %+v, want a session of 12 hours with the scopes of its code", got)
	}
	wantNoCode(t, "a used code", sessions, code)
	// The log has the session, by its principal, without a secret.
	var actor uuid.UUID
	var payload string
	err := db.Pool.QueryRow(t.Context(), `SELECT actor_principal_id, payload::text FROM fanfare.activities
		WHERE tenant_id = $1 AND action = 'token.created'`, who.tenant).Scan(&actor, &payload)
	if err != nil || actor != who.principal || strings.Contains(payload, text[36:]) ||
		!strings.Contains(payload, token.ID.String()) {
		t.Errorf("the log: got %s by %s, %v", payload, actor, err)
	}

	c.advance(12*time.Hour - time.Second)
	wantSomeone(t, a, withSession(text), who)
	c.advance(time.Second)
	wantRefused(t, a, withSession(text), identity.ReasonExpired)
}

// TestPurposes checks that a session's token is no bearer token, and a service token no session.
func TestPurposes(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	sessions, a, db := newSessions(t, c)
	session, _ := signIn(t, sessions, issue(t, sessions, who))
	service, _ := create(t, identity.NewTokens(db.Pool, c.now), who)
	wantRefused(t, a, withBearer(session), identity.ReasonToken)
	wantRefused(t, a, withSession(service), identity.ReasonToken)
	wantSomeone(t, a, withBearer(service), who)
	wantSomeone(t, a, withSession(session), who)
	// A request with another credential does not use the session.
	wantRefused(t, a, request("Authorization", "Bearer "+session, "Cookie", "fanfare_session="+session),
		identity.ReasonToken)
}

func TestCodes(t *testing.T) {
	t.Parallel()
	c, here, there := newClock(), newSomeone(), newSomeone()
	sessions, a, db := newSessions(t, c)
	seen := map[string]bool{}
	for range 100 {
		code := issue(t, sessions, here)
		if len(code) != 52 || seen[code] { // base32: the tenant, and 130 bits
			t.Fatalf("got the code %q, want a new one of 52 characters", code)
		}
		if tenant, ok := identity.TenantOfCode(code); !ok || tenant != here.tenant {
			t.Fatalf("%q: got the tenant %v, %v; want %v", code, tenant, ok, here.tenant)
		}
		seen[code] = true
	}
	theirs := issue(t, sessions, there)
	text, _ := signIn(t, sessions, theirs)
	wantSomeone(t, a, withSession(text), there)

	code := issue(t, sessions, here)
	for name, wrong := range map[string]string{
		"empty": "", "shorter": code[:51], "longer": code + "A", "lower case": strings.ToLower(code),
		"a NUL": code[:51] + "\x00", "a space": " " + code[1:], "not UTF-8": code[:51] + "\xff",
		"of another tenant": theirs[:26] + code[26:], "its tenant spelled otherwise": code[:25] + "7" + code[26:],
		"unknown": code[:26] + strings.Repeat("A", 26), "the nil tenant": strings.Repeat("A", 52),
		"SQL": "'; DROP TABLE fanfare.s;--", "wide": strings.Repeat("é", 13),
		"its hash": strings.Repeat("2", 52),
	} {
		wantNoCode(t, name, sessions, wrong)
	}
	signIn(t, sessions, code) // wrong ones have not used it

	late := issue(t, sessions, here)
	c.advance(identity.CodeLifetime - time.Microsecond)
	signIn(t, sessions, late)
	expired := issue(t, sessions, here)
	c.advance(identity.CodeLifetime)
	wantNoCode(t, "expired", sessions, expired)

	var stored string
	if err := db.Pool.QueryRow(t.Context(), `SELECT string_agg(to_jsonb(c)::text || encode(hash, 'escape'), ' ')
		FROM fanfare.sign_in_codes c`).Scan(&stored); err != nil {
		t.Fatal(err)
	}
	for code := range seen {
		if strings.Contains(stored, code) {
			t.Errorf("the database contains the code %s", code)
		}
	}
}

// TestCodeIsUsedOnce uses a code from many requests at once.
func TestCodeIsUsedOnce(t *testing.T) {
	t.Parallel()
	sessions, _, db := newSessions(t, newClock())
	code := issue(t, sessions, newSomeone())
	var begun, refused atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, _, err := sessions.Begin(t.Context(), code, anyone)
			if _, is := errors.AsType[*identity.Refused](err); is {
				refused.Add(1)
			} else if err == nil {
				begun.Add(1)
			}
		})
	}
	all.Wait()
	var stored int
	if err := db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.service_tokens`).Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if begun.Load() != 1 || refused.Load() != 19 || stored != 1 {
		t.Errorf("got %d sessions, %d refused, %d stored, want 1, 19 and 1", begun.Load(), refused.Load(), stored)
	}
}

// TestNotPermitted uses the code of a principal that may not have a session, and one whose
// permission cannot be checked.
func TestNotPermitted(t *testing.T) {
	t.Parallel()
	sessions, _, db := newSessions(t, newClock())
	code := issue(t, sessions, newSomeone())
	failure := errors.New("the failure of a test")
	_, _, err := sessions.Begin(t.Context(), code,
		func(context.Context, pg.Querier, activity.Principal) (bool, error) { return false, failure })
	if !errors.Is(err, failure) {
		t.Errorf("got %v, want the failure", err)
	}
	_, _, err = sessions.Begin(t.Context(), code,
		func(context.Context, pg.Querier, activity.Principal) (bool, error) { return false, nil })
	if !errors.Is(err, identity.ErrNotPermitted) {
		t.Errorf("got %v, want %v", err, identity.ErrNotPermitted)
	}
	wantNoCode(t, "a code that was refused", sessions, code)
	var stored int
	if err := db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.service_tokens`).Scan(&stored); err != nil ||
		stored != 0 {
		t.Errorf("got %d tokens, %v, want none", stored, err)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	sessions, a, _ := newSessions(t, newClock())
	who := newSomeone()
	text, _ := signIn(t, sessions, issue(t, sessions, who))
	other, _ := signIn(t, sessions, issue(t, sessions, who))
	ended := func(r *http.Request) error {
		r.Method = http.MethodDelete
		return sessions.End(r)
	}
	for _, site := range []string{"cross-site", "same-site", "none"} {
		r := withSession(text)
		r.Header.Set("Sec-Fetch-Site", site)
		refused, ok := errors.AsType[*identity.Refused](ended(r))
		if !ok || refused.Reason != identity.ReasonCrossSite {
			t.Errorf("%s: got no refusal, want one", site)
		}
	}
	wantSomeone(t, a, withSession(text), who)
	r := withSession(text)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for range 2 {
		if err := ended(r); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	}
	if err := ended(request()); err != nil {
		t.Errorf("without a session: got %v, want no error", err)
	}
	wantRefused(t, a, withSession(text), identity.ReasonRevoked)
	wantSomeone(t, a, withSession(other), who)
}

func TestNewSessionReportsEveryViolation(t *testing.T) {
	t.Parallel()
	sessions, _, _ := newSessions(t, newClock())
	_, _, err := sessions.Issue(t.Context(), identity.NewSession{Scopes: []string{"all"}, Lifetime: 13 * time.Hour})
	for _, want := range []string{
		"tenant is required", "principal is required", `"all" must be`, "installation:read",
		"expires_in", "must be from 1m0s to 12h0m0s",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want in it %q", err, want)
		}
	}
	if err := (identity.NewSession{
		TenantID: uuid.New(), PrincipalID: uuid.New(), Lifetime: time.Second,
	}).Validate(); err == nil || strings.Contains(err.Error(), "tenant") {
		t.Errorf("a short lifetime: got %v, want an error about it", err)
	}
}

// TestPurge removes the codes that have expired, and no other ones.
func TestPurge(t *testing.T) {
	t.Parallel()
	c := newClock()
	sessions, a, db := newSessions(t, c)
	issue(t, sessions, newSomeone())
	c.advance(identity.CodeLifetime)
	kept := issue(t, sessions, newSomeone())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx); err != nil { // its last act
		t.Fatal(err)
	}
	rows, _ := db.Pool.Query(t.Context(), `SELECT count(*) FROM fanfare.sign_in_codes`)
	if n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int]); err != nil || n != 1 {
		t.Errorf("got %d codes, %v, want 1", n, err)
	}
	signIn(t, sessions, kept)
}

// TestSessionCookie holds the cookie to its attributes, and its name to the connection.
func TestSessionCookie(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	sessions, a, _ := newSessions(t, c)
	text, token := signIn(t, sessions, issue(t, sessions, who))
	with := func(change func(*http.Request)) *http.Request {
		r := request()
		change(r)
		return r
	}
	forwarded := func(proto string) *http.Request {
		return with(func(r *http.Request) { r.Header["X-Forwarded-Proto"] = []string{proto} })
	}
	const plain, secure = "fanfare_session", "__Host-fanfare_session"
	for name, c := range map[string]struct {
		request *http.Request
		cookie  string
	}{
		"plain":            {request(), plain},
		"TLS":              {with(func(r *http.Request) { r.TLS = &tls.ConnectionState{} }), secure},
		"a proxy with TLS": {forwarded("https"), secure},
		"in capitals":      {forwarded("HTTPS"), secure},
		"two proxies":      {forwarded("https, http"), secure},
		"a proxy without":  {forwarded("http"), plain},
		"the inner one":    {forwarded("http, https"), plain},
		"nonsense":         {forwarded("httpsx"), plain},
		"another peer": {with(func(r *http.Request) {
			r.Header.Set("X-Forwarded-Proto", "https")
			r.RemoteAddr = "203.0.113.9:5000"
		}), plain},
	} {
		attributes := "; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"
		if c.cookie == secure {
			attributes = "; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Strict"
		}
		if got := sessions.Cookie(c.request, identity.Secret(text), token.ExpiresAt).String(); got !=
			c.cookie+"="+text+attributes {
			t.Errorf("%s: got %s, want %s", name, got, c.cookie)
		}
		if got := sessions.Expired(c.request).String(); !strings.HasPrefix(got, c.cookie+"=; Path=/; Max-Age=0; ") {
			t.Errorf("%s: got %s, want the cookie removed", name, got)
		}
		c.request.Header.Set("Cookie", c.cookie+"="+text)
		wantSomeone(t, a, c.request, who)
		// Another host of the domain may plant the other cookie.
		if c.cookie == secure {
			c.request.Header.Set("Cookie", plain+"="+text)
			wantRefused(t, a, c.request, identity.ReasonMissing)
		}
	}
	wantRefused(t, a, request("Cookie", plain+"="+text+"; "+plain+"="+text), identity.ReasonRequest)
	wantRefused(t, a, request("Cookie", plain+"="+text, "Cookie", plain+"=x"), identity.ReasonRequest)
	for _, value := range []string{"x", text + "0", `"` + text[:10] + `"`, strings.Repeat("f", 9000)} {
		wantRefused(t, a, withSession(value), identity.ReasonToken)
	}
	for _, value := range []string{"", "\x00", "ü"} { // no value, as net/http reads it
		wantRefused(t, a, withSession(value), identity.ReasonMissing)
	}
}
