package main

import (
	"encoding/base32"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/jwttest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestCredentialsOfCells uses each kind of credential for both cells, and each part of one with
// that of the other cell: nothing of one tenant gives access to another one.
func TestCredentialsOfCells(t *testing.T) {
	t.Parallel()
	c := newTwoCells(t, pgtest.New(t), pgtest.New(t))
	d := startDaemon(t, c.environ(), "serve", "--trust-identity-headers", "--session-cookie", "app")
	for name, pair := range map[string][2]world{"a": {c.a, c.b}, "b": {c.b, c.a}} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := pair[0], pair[1]
			t.Run("tokens", func(t *testing.T) { c.checkTokens(t, d.api(t), ours, theirs) })
			t.Run("JWTs", func(t *testing.T) { checkJWTs(t, d.api(t), ours, theirs) })
			t.Run("sessions", func(t *testing.T) { c.checkSessions(t, d.api(t), ours, theirs) })
			t.Run("refreshes", func(t *testing.T) { c.checkRefreshes(t, d.api(t), ours, theirs) })
		})
	}
	anyone := d.api(t)
	if got := anyone.do(t, http.MethodGet, "/me", ""); got.status != http.StatusUnauthorized {
		t.Errorf("without a credential: got status %d, want 401", got.status)
	}
	if got := anyone.do(t, http.MethodGet, "/openapi.json", ""); got.status != http.StatusOK {
		t.Errorf("the OpenAPI document: got status %d, want 200", got.status)
	}
}

func (c twoCells) checkTokens(t *testing.T, api caller, ours, theirs world) {
	token, other := c.newToken(t, ours, "activity:read"), c.newToken(t, theirs, "activity:read")
	headers := func(w world) caller {
		return api.with("X-Tenant-Id", w.tenant.String()).with("X-Principal-Id", w.owner.String())
	}
	api.bearing(token).isOf(t, "a token", ours)
	headers(ours).isOf(t, "identity headers", ours)
	headers(theirs).bearing(token).isOf(t, "a token with the headers of another tenant", ours)
	const tenantAt, idAt = 3, 3 + 32 + 1
	api.bearing(other[:idAt]+token[idAt:]).isRefused(t, "a token with the tenant of another one")
	api.bearing(token[:idAt]+other[idAt:]).isRefused(t, "the token of another tenant with this tenant")
	none := strings.ReplaceAll(uuid.NewString(), "-", "")
	api.bearing(token[:tenantAt]+none+token[idAt-1:]).isRefused(t, "a token with the tenant of none")
	headers(theirs).bearing("ff_x").isRefused(t, "a broken token with headers")
}

// checkJWTs signs claims that name both tenants. encoding/json, which reads the claims, takes the
// last one of a name; a parser that took the first would select the other cell, which refuses the
// tenant.
func checkJWTs(t *testing.T, api caller, ours, theirs world) {
	api.person(t, ours, ours.owner).isOf(t, "a JWT", ours)
	signed := strings.TrimPrefix(api.person(t, ours, ours.owner).header.Get("Authorization"), "Bearer ")
	api.with("Cookie", "app="+signed).isOf(t, "a JWT in a cookie", ours)
	twice := fmt.Sprintf(`{"iss":%q,"aud":%q,"exp":%d,"sub":%q,"tenant_id":%q,"tenant_id":%q}`, jwtIssuerName,
		jwtAudienceName, time.Now().Add(time.Hour).Unix(), ours.owner, theirs.tenant, ours.tenant)
	api.bearing(jwttest.SignText(t, jwtKey, twice)).isOf(t, "a JWT with two tenants", ours)
	cased := strings.Replace(twice, `"tenant_id"`, `"Tenant_Id"`, 1)
	api.bearing(jwttest.SignText(t, jwtKey, cased)).isOf(t, "a JWT with two spellings", ours)
	nested := strings.Replace(twice, `"tenant_id":"`+ours.tenant.String()+`"`, `"app":{"tenant_id":"x"}`, 1)
	api.bearing(jwttest.SignText(t, jwtKey, nested)).isOf(t, "a JWT with another object", theirs)
	foreign := jwt.MapClaims{
		"iss": jwtIssuerName, "aud": jwtAudienceName, "exp": time.Now().Add(time.Hour).Unix(),
		"tenant_id": ours.tenant.String(), "sub": ours.owner.String(),
	}
	api.bearing(jwttest.Sign(t, strings.Repeat("k", 32), foreign)).isRefused(t, "a forged JWT")
}

func (c twoCells) checkSessions(t *testing.T, api caller, ours, theirs world) {
	code, other := c.newCode(t, ours), c.newCode(t, theirs)
	const secretAt = 26
	for what, wrong := range map[string]string{
		"a code with the tenant of another": other[:secretAt] + code[secretAt:],
		"the code of another with this":     code[:secretAt] + other[secretAt:],
		"a code with the tenant of none":    newTenantDigits() + code[secretAt:],
		"no code":                           "A",
	} {
		if _, status := api.signIn(t, wrong); status != http.StatusUnauthorized {
			t.Errorf("%s: got status %d, want 401", what, status)
		}
	}
	session, status := api.signIn(t, code)
	if status != http.StatusNoContent {
		t.Fatalf("got status %d, want a session", status)
	}
	replaced, _ := api.signIn(t, c.newCode(t, ours))
	theirSession, _ := api.session(replaced).signIn(t, other)
	api.session(theirSession).isOf(t, "the session of another tenant", theirs)
	api.session(replaced).isRefused(t, "a session that was replaced")
	api.session(session).isOf(t, "a session", ours)
	const idAt = 3 + 32 + 1
	api.session(theirSession[:idAt]+session[idAt:]).isRefused(t, "a session with the tenant of another")
	if got := api.session(session).do(t, http.MethodDelete, "/session", ""); got.status != http.StatusNoContent {
		t.Errorf("sign out: got status %d with %s, want 204", got.status, got.body)
	}
	api.session(session).isRefused(t, "a session that has ended")
	api.session(theirSession).isOf(t, "another session", theirs)
}

// newTenantDigits returns the first part of a code of an unknown tenant.
func newTenantDigits() string {
	tenant := uuid.New()
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(tenant[:])
}

// checkRefreshes asks as Centrifugo does, with the proofs of connections of both tenants.
func (c twoCells) checkRefreshes(t *testing.T, api caller, ours, theirs world) {
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: c.centrifugo.TokenSecret()})
	if err != nil {
		t.Fatal(err)
	}
	meta := func(w world) string {
		signed, _ := tokens.Connection(activity.Principal{TenantID: w.tenant, PrincipalID: w.owner})
		claims := struct {
			jwt.RegisteredClaims
			Meta struct {
				Proof string `json:"proof"`
			} `json:"meta"`
		}{}
		if _, _, err := jwt.NewParser().ParseUnverified(signed, &claims); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"proof":%q}`, claims.Meta.Proof)
	}
	user := func(w world) string { return w.tenant.String() + "." + w.owner.String() }
	channel := func(w world) string { return "resource:" + w.tenant.String() + "." + w.resource.String() }
	for what, q := range map[string]struct {
		user, channel, meta string
		want                bool
	}{
		"a connection":                        {user(ours), channel(ours), meta(ours), true},
		"a channel of another tenant":         {user(ours), channel(theirs), meta(ours), false},
		"the proof of another tenant":         {user(ours), channel(ours), meta(theirs), false},
		"a user of another tenant":            {user(theirs), channel(ours), meta(ours), false},
		"a user with the channel of another":  {user(theirs), channel(ours), meta(theirs), false},
		"no user":                             {"", channel(ours), meta(ours), false},
		"a user whose tenant is in two cases": {strings.ToUpper(user(ours)), channel(ours), meta(ours), false},
	} {
		body := fmt.Sprintf(`{"user":%q,"channel":%q,"meta":%s}`, q.user, q.channel, q.meta)
		got := api.do(t, http.MethodPost, "/realtime/refresh", body)
		if permitted := strings.Contains(got.body, "expire_at"); permitted != q.want || got.status != http.StatusOK {
			t.Errorf("%s: got status %d with %s, want permission %v", what, got.status, got.body, q.want)
		}
	}
}
