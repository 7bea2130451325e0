package identity_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

// TestClaimedTenant reads the tenant of each kind of credential, and of the one that Authenticate
// verifies if there are several.
func TestClaimedTenant(t *testing.T) {
	t.Parallel()
	c, here, there := newClock(), newSomeone(), newSomeone()
	sessions, _, db := newSessions(t, c)
	tokens := identity.NewTokens(db.Pool, c.now)
	a := build(t, identity.Options{
		JWT:    identity.JWT{Secret: secret, Issuer: issuer, Audience: audience},
		Tokens: tokens, Sessions: sessions, JWTCookie: "app", TrustHeaders: true, Now: c.now,
	})
	token, _ := create(t, tokens, here)
	session, _ := signIn(t, sessions, issue(t, sessions, here))
	signed := jwttest.Sign(t, secret, here.claims(c.now(), nil))
	forged := jwttest.Sign(t, strings.Repeat("k", 32), here.claims(c.now().Add(-time.Hour), nil))
	unsigned := jwttest.SignWith(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType,
		here.claims(c.now(), nil), nil)
	for name, tc := range map[string]struct {
		headers []string
		want    uuid.UUID
	}{
		"nothing":                   {nil, uuid.Nil},
		"a service token":           {[]string{"Authorization", "Bearer " + token}, here.tenant},
		"one that does not exist":   {[]string{"Authorization", "Bearer " + token[:len(token)-1] + "0"}, here.tenant},
		"one that is none":          {[]string{"Authorization", "Bearer ff_x"}, uuid.Nil},
		"a JWT":                     {[]string{"Authorization", "Bearer " + signed}, here.tenant},
		"a forged JWT":              {[]string{"Authorization", "Bearer " + forged}, here.tenant},
		"a JWT without a signature": {[]string{"Authorization", "Bearer " + unsigned}, here.tenant},
		"no JWT":                    {[]string{"Authorization", "Bearer a.b.c"}, uuid.Nil},
		"two bearer tokens": {
			[]string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}, uuid.Nil,
		},
		"identity headers":           {here.headers(), here.tenant},
		"half of them":               {here.headers()[:2], uuid.Nil},
		"a session":                  {[]string{"Cookie", "fanfare_session=" + session}, here.tenant},
		"a cookie with a JWT":        {[]string{"Cookie", "app=" + signed}, here.tenant},
		"a token and headers":        {append(there.headers(), "Authorization", "Bearer "+token), here.tenant},
		"a JWT and headers":          {append(there.headers(), "Authorization", "Bearer "+signed), here.tenant},
		"a broken token and headers": {append(there.headers(), "Authorization", "Bearer ff_x"), uuid.Nil},
		"headers and a session":      {append(there.headers(), "Cookie", "fanfare_session="+session), there.tenant},
		"two sessions": {
			[]string{"Cookie", "fanfare_session=" + session + "; fanfare_session=" + session + "; app=" + signed},
			uuid.Nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(tc.headers...)
			if got := a.ClaimedTenant(r); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if id, err := a.Authenticate(r); err == nil && id.TenantID != a.ClaimedTenant(r) {
				t.Errorf("got the claimed tenant %s, but %s is authenticated", a.ClaimedTenant(r), id.TenantID)
			}
		})
	}
}

// TestAdmits refuses the valid credentials of tenants that are not admitted, and those of
// Accepting, as unknown ones.
func TestAdmits(t *testing.T) {
	t.Parallel()
	c, here, there := newClock(), newSomeone(), newSomeone()
	all, _, db := newSessions(t, c)
	admits := func(tenant uuid.UUID) bool { return tenant == here.tenant }
	tokens := identity.NewTokens(db.Pool, c.now)
	theirs, _ := create(t, tokens, there)
	session, _ := signIn(t, all, issue(t, all, there))
	ours, _ := create(t, tokens, here)
	admitted := tokens.For(admits)
	sessions := identity.NewSessions(admitted, nil)
	base := build(t, identity.Options{
		JWT:       identity.JWT{Secret: secret, Issuer: issuer, Audience: audience},
		JWTCookie: "app", TrustHeaders: true, Now: c.now,
	})
	a := base.Accepting(admitted, sessions, admits)
	theirJWT := jwttest.Sign(t, secret, there.claims(c.now(), nil))

	wantSomeone(t, a, withBearer(ours), here)
	wantSomeone(t, a, withBearer(jwttest.Sign(t, secret, here.claims(c.now(), nil))), here)
	wantSomeone(t, a, request(here.headers()...), here)
	for name, tc := range map[string]struct {
		request *http.Request
		want    identity.Reason
	}{
		"a service token":     {withBearer(theirs), identity.ReasonToken},
		"a session":           {withSession(session), identity.ReasonToken},
		"a JWT":               {withBearer(theirJWT), identity.ReasonTenant},
		"a cookie with a JWT": {request("Cookie", "app="+theirJWT), identity.ReasonTenant},
		"identity headers":    {request(there.headers()...), identity.ReasonTenant},
		"a forged JWT": {
			withBearer(jwttest.Sign(t, strings.Repeat("k", 32), there.claims(c.now(), nil))), identity.ReasonSignature,
		},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, a, tc.request, tc.want) })
	}
	code := issue(t, all, there)
	wantNoCode(t, "a code of another tenant", sessions, code)
	signIn(t, all, code) // it is not used
	wantRefused(t, base, withBearer(ours), identity.ReasonToken)
}
