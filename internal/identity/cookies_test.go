package identity_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

// TestCookiesNeedTheSameOrigin sends each kind of cookie with each method and with the headers that
// browsers send.
func TestCookiesNeedTheSameOrigin(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tokens, _, _ := newTokens(t, c)
	sessions := identity.NewSessions(tokens, nil)
	options := withJWT(c, identity.JWT{Secret: secret})
	options.Sessions, options.JWTCookie = sessions, "app"
	a := build(t, options)
	session, _ := signIn(t, sessions, issue(t, sessions, who))
	cookies := map[string]string{
		"session": "fanfare_session=" + session,
		"JWT":     "app=" + jwttest.Sign(t, secret, who.claims(c.now(), nil)),
	}
	const no, reads, all = "nothing", "reading", "everything"
	for name, browser := range map[string]struct {
		headers []string
		permits string
	}{
		"no browser":            {nil, reads},
		"a page of this origin": {[]string{"Sec-Fetch-Site", "same-origin"}, all},
		"a page of this origin, both": {
			[]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8080"},
			all,
		},
		"a page of another site": {[]string{"Sec-Fetch-Site", "cross-site"}, no},
		"a page of this site":    {[]string{"Sec-Fetch-Site", "same-site"}, no},
		"the user":               {[]string{"Sec-Fetch-Site", "none"}, reads},
		"nonsense":               {[]string{"Sec-Fetch-Site", "Same-Origin"}, no},
		"two sites": {
			[]string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"},
			no,
		},
		"empty":                       {[]string{"Sec-Fetch-Site", ""}, no},
		"this origin, an old browser": {[]string{"Origin", "http://127.0.0.1:8080"}, all},
		"this origin behind TLS":      {[]string{"Origin", "https://127.0.0.1:8080"}, all},
		"another origin":              {[]string{"Origin", "https://evil.example"}, no},
		"another port":                {[]string{"Origin", "http://127.0.0.1:8081"}, no},
		"a prefix of this host":       {[]string{"Origin", "http://127.0.0.1:8080.evil.example"}, no},
		"this host as the user":       {[]string{"Origin", "http://127.0.0.1:8080@evil.example"}, no},
		"an opaque origin":            {[]string{"Origin", "null"}, no},
		"no origin":                   {[]string{"Origin", ""}, no},
		"two origins": {
			[]string{"Origin", "http://127.0.0.1:8080", "Origin", "https://evil.example"},
			no,
		},
		"another site, this origin": {
			[]string{"Sec-Fetch-Site", "cross-site", "Origin", "http://127.0.0.1:8080"},
			no,
		},
		"another site and a form's token": {[]string{"Sec-Fetch-Site", "cross-site", "X-Csrf-Token", "x"}, no},
	} {
		for kind, cookie := range cookies {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
				r := request(append([]string{"Cookie", cookie}, browser.headers...)...)
				r.Method = method
				reading := method == http.MethodGet || method == http.MethodHead
				if browser.permits == all || browser.permits == reads && reading {
					wantSomeone(t, a, r, who)
					continue
				}
				if got, err := a.Authenticate(r); err == nil || err.Error() != string(identity.ReasonCrossSite) {
					t.Errorf("%s, %s, %s: got %+v, %v, want it refused", name, kind, method, got, err)
				}
			}
		}
	}
}

func TestJWTInACookie(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	options := withJWT(c, identity.JWT{Secret: secret})
	options.JWTCookie = "app"
	a := build(t, options)
	valid := jwttest.Sign(t, secret, who.claims(c.now(), jwt.MapClaims{"scope": identity.ScopeInstallation}))
	got := wantSomeone(t, a, request("Cookie", "other=x; app="+valid), who)
	if got.Via != identity.ViaJWT || !got.Scopes.Has(identity.ScopeInstallation) || got.Expires.IsZero() {
		t.Errorf("got %+v, want the identity of the JWT", got)
	}
	for name, c := range map[string]struct {
		cookie string
		want   identity.Reason
	}{
		"another cookie": {"App=" + valid, identity.ReasonMissing},
		"empty":          {"app=", identity.ReasonMissing},
		"two":            {"app=" + valid + "; app=" + valid, identity.ReasonRequest},
		"no JWT":         {"app=x", identity.ReasonMalformed},
		"a percent sign": {"app=%41", identity.ReasonMalformed},
		"another key": {
			"app=" + jwttest.Sign(t, strings.Repeat("k", 32), who.claims(c.now(), nil)),
			identity.ReasonSignature,
		},
		"expired": {
			"app=" + jwttest.Sign(t, secret, who.claims(c.now().Add(-2*time.Hour), nil)),
			identity.ReasonExpired,
		},
		"long": {"app=" + strings.Repeat("a", 17<<10), identity.ReasonTooLong},
		"a service token": {
			"app=ff" + strings.Repeat("_"+strings.Repeat("0", 32), 2) + "_" + strings.Repeat("0", 64),
			identity.ReasonMalformed,
		},
		"a session cookie": {"fanfare_session=" + valid, identity.ReasonMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, a, request("Cookie", c.cookie), c.want)
		})
	}
	wantRefused(t, build(t, withJWT(c, identity.JWT{Secret: secret})), request("Cookie", "app="+valid),
		identity.ReasonMissing)
	tokens := identity.Options{JWTCookie: "app", Now: c.now}
	wantRefused(t, build(t, tokens), request("Cookie", "app="+valid), identity.ReasonMissing)
	// The JWT of the header counts, also if it is refused.
	wantRefused(t, a, request("Authorization", "Bearer x", "Cookie", "app="+valid), identity.ReasonMalformed)
}

// TestGatewayBeforeCookies checks that the caller of a gateway's headers is not that of a cookie.
func TestGatewayBeforeCookies(t *testing.T) {
	t.Parallel()
	c, who, other := newClock(), newSomeone(), newSomeone()
	tokens, _, _ := newTokens(t, c)
	sessions := identity.NewSessions(tokens, nil)
	a := build(t, identity.Options{Sessions: sessions, TrustHeaders: true, Now: c.now})
	text, _ := signIn(t, sessions, issue(t, sessions, other))
	wantSomeone(t, a, request("X-Tenant-Id", who.tenant.String(), "X-Principal-Id", who.principal.String(),
		"Cookie", "fanfare_session="+text), who)
	wantSomeone(t, a, withSession(text), other)
	wantRefused(t, a, request("X-Tenant-Id", who.tenant.String(), "Cookie", "fanfare_session="+text),
		identity.ReasonRequest)
}
