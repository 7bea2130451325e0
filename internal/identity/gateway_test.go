package identity_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

// headers returns a gateway's headers for a principal.
func (s someone) headers(more ...string) []string {
	return append([]string{"X-Tenant-Id", s.tenant.String(), "X-Principal-Id", s.principal.String()}, more...)
}

func TestGatewayHeaders(t *testing.T) {
	t.Parallel()
	who := newSomeone()
	a := build(t, identity.Options{TrustHeaders: true})
	for name, test := range map[string]struct {
		scopes []string
		want   identity.Scopes
	}{
		"no scopes": {nil, identity.Scopes{}},
		"empty":     {[]string{"X-Scopes", ""}, identity.Scopes{}},
		"by spaces": {
			[]string{"X-Scopes", "activity:admin openid activity:read"},
			identity.Scopes{"activity:read", "activity:admin"},
		},
		"by commas": {
			[]string{"X-Scopes", "openid, activity:admin,activity:admin"}, identity.Scopes{"activity:admin"},
		},
		"unknown scopes": {[]string{"X-Scopes", "activity:all"}, identity.Scopes{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := wantSomeone(t, a, request(who.headers(test.scopes...)...), who)
			want := identity.Identity{
				Principal: activity.Principal{TenantID: who.tenant, PrincipalID: who.principal},
				Scopes:    test.want,
				Via:       "gateway",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGatewayHeadersRefused(t *testing.T) {
	t.Parallel()
	who, other := newSomeone(), newSomeone()
	tenant, principal := who.tenant.String(), who.principal.String()
	a := build(t, identity.Options{TrustHeaders: true})
	for name, test := range map[string]struct {
		headers []string
		want    identity.Reason
	}{
		"none":               {nil, identity.ReasonMissing},
		"only scopes":        {[]string{"X-Scopes", "activity:admin"}, identity.ReasonMissing},
		"no tenant":          {[]string{"X-Principal-Id", principal}, identity.ReasonRequest},
		"no principal":       {[]string{"X-Tenant-Id", tenant}, identity.ReasonRequest},
		"empty tenant":       {[]string{"X-Tenant-Id", "", "X-Principal-Id", principal}, identity.ReasonRequest},
		"tenant twice":       {who.headers("X-Tenant-Id", other.tenant.String()), identity.ReasonRequest},
		"tenant twice alike": {who.headers("X-Tenant-Id", tenant), identity.ReasonRequest},
		"tenant twice empty": {who.headers("X-Tenant-Id", ""), identity.ReasonRequest},
		"principal twice":    {who.headers("X-Principal-Id", other.principal.String()), identity.ReasonRequest},
		"scopes twice": {
			who.headers("X-Scopes", "openid", "X-Scopes", "activity:admin"), identity.ReasonRequest,
		},
		"other case twice": {who.headers("x-tenant-id", other.tenant.String()), identity.ReasonRequest},
		"tenants in a list": {
			[]string{"X-Tenant-Id", tenant + ", " + other.tenant.String(), "X-Principal-Id", principal},
			identity.ReasonRequest,
		},
		"tenant no UUID": {[]string{"X-Tenant-Id", "acme", "X-Principal-Id", principal}, identity.ReasonRequest},
		"tenant nil": {
			[]string{"X-Tenant-Id", uuid.Nil.String(), "X-Principal-Id", principal}, identity.ReasonRequest,
		},
		"tenant in braces": {
			[]string{"X-Tenant-Id", "{" + tenant + "}", "X-Principal-Id", principal}, identity.ReasonRequest,
		},
		"principal a URN": {
			[]string{"X-Tenant-Id", tenant, "X-Principal-Id", who.principal.URN()}, identity.ReasonRequest,
		},
		"underscores":         {[]string{"X_Tenant_Id", tenant, "X_Principal_Id", principal}, identity.ReasonMissing},
		"a bearer token too":  {who.headers("Authorization", "Bearer x.y.z"), identity.ReasonUnknownKey},
		"an empty bearer":     {who.headers("Authorization", "Bearer "), identity.ReasonMalformed},
		"a service token too": {who.headers("Authorization", "Bearer ff_x"), identity.ReasonToken},
		"two bearer tokens": {
			who.headers("Authorization", "Bearer x.y.z", "Authorization", "Bearer x.y.z"), identity.ReasonRequest,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, a, request(test.headers...), test.want)
		})
	}
}

// Credentials of other schemes, which a gateway may forward, are ignored.
func TestGatewayHeadersWithAnotherScheme(t *testing.T) {
	t.Parallel()
	who := newSomeone()
	a := build(t, identity.Options{TrustHeaders: true})
	for _, other := range []string{"Basic dTpw", "Negotiate x", "", "Bearerx"} {
		wantSomeone(t, a, request(who.headers("Authorization", other)...), who)
	}
}

// Only the address of the peer determines whether the headers are trusted.
func TestGatewayPeers(t *testing.T) {
	t.Parallel()
	who := newSomeone()
	own := []netip.Prefix{
		netip.MustParsePrefix("10.1.2.0/24"),
		netip.MustParsePrefix("192.0.2.7/32"),
		netip.MustParsePrefix("2001:db8:1::/48"),
	}
	for name, test := range map[string]struct {
		proxies []netip.Prefix
		peer    string
		trusted bool
	}{
		"loopback":                     {nil, "127.0.0.1:1", true},
		"all of loopback":              {nil, "127.255.255.254:1", true},
		"loopback v6":                  {nil, "[::1]:1", true},
		"loopback, mapped":             {nil, "[::ffff:127.0.0.1]:1", true},
		"private, not listed":          {nil, "10.1.2.3:1", false},
		"link-local":                   {nil, "[fe80::1%eth0]:1", false},
		"unspecified":                  {nil, "0.0.0.0:1", false},
		"unspecified v6":               {nil, "[::]:1", false},
		"compatible, not mapped":       {nil, "[::127.0.0.1]:1", false},
		"listed":                       {own, "10.1.2.3:1", true},
		"listed, mapped":               {own, "[::ffff:10.1.2.3]:1", true},
		"listed, mapped in hex":        {own, "[::ffff:a01:203]:1", true},
		"next to it":                   {own, "10.1.3.3:1", false},
		"next to it, mapped":           {own, "[::ffff:10.1.3.3]:1", false},
		"one address":                  {own, "192.0.2.7:1", true},
		"the next address":             {own, "192.0.2.8:1", false},
		"listed v6":                    {own, "[2001:db8:1:ffff::1]:1", true},
		"not listed v6":                {own, "[2001:db8:2::1]:1", false},
		"loopback, when it is not own": {own, "127.0.0.1:1", false},
		"no port":                      {nil, "127.0.0.1", false},
		"a name":                       {nil, "localhost:1", false},
		"a Unix socket":                {nil, "@", false},
		"nothing":                      {nil, "", false},
		"a list":                       {nil, "127.0.0.1:1, 203.0.113.9:1", false},
		"leading zeros":                {nil, "0127.0.0.1:1", false},
		"a decimal address":            {nil, "2130706433:1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := build(t, identity.Options{TrustHeaders: true, TrustedProxies: test.proxies})
			r := request(who.headers()...)
			r.RemoteAddr = test.peer
			if test.trusted {
				wantSomeone(t, a, r, who)
				return
			}
			wantRefused(t, a, r, identity.ReasonMissing)
			for _, name := range []string{
				"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "Cf-Connecting-Ip", "X-Forwarded-Host",
				"Host",
			} {
				for _, claimed := range []string{"127.0.0.1", "::1", "10.1.2.3", "for=127.0.0.1", "localhost"} {
					r.Header.Set(name, claimed)
				}
			}
			r.Host = "127.0.0.1"
			wantRefused(t, a, r, identity.ReasonMissing)
		})
	}
}

// Headers are trusted only in requests for allowed hosts. Other credentials are not bound to hosts.
func TestGatewayHosts(t *testing.T) {
	t.Parallel()
	who := newSomeone()
	allow := func(hosts ...string) *identity.Authenticator {
		o := withJWT(newClock(), identity.JWT{Secret: secret})
		o.TrustHeaders, o.AllowedHosts = true, hosts
		return build(t, o)
	}
	for name, test := range map[string]struct {
		a       *identity.Authenticator
		host    string
		allowed bool
	}{
		"an address":               {allow(), "127.0.0.1:8080", true},
		"an address without port":  {allow(), "10.1.2.3", true},
		"IPv6":                     {allow(), "[::1]:8080", true},
		"IPv6 without port":        {allow(), "[::1]", true},
		"localhost":                {allow(), "LOCALHOST:8080", true},
		"a rebound name":           {allow(), "evil.example:8080", false},
		"ends with localhost":      {allow(), "evil.localhost", false},
		"begins with an address":   {allow(), "127.0.0.1.evil.example", false},
		"no host":                  {allow(), "", false},
		"allowed":                  {allow("api.example.com"), "API.example.com:443", true},
		"allowed, fully qualified": {allow("api.example.com"), "api.example.com.:443", true},
		"under an allowed one":     {allow("example.com"), "api.example.com", false},
		"the second":               {allow("a.example", "b.example"), "b.example", true},
		"every host":               {allow("*"), "evil.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(who.headers()...)
			r.Host = test.host
			if test.allowed {
				wantSomeone(t, test.a, r, who)
			} else {
				wantRefused(t, test.a, r, identity.ReasonHost)
			}
			token := jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), who.claims(newClock().now(), nil), nil)
			r = withBearer(token)
			r.Host = test.host
			wantSomeone(t, test.a, r, who)
		})
	}
}

// X-Forwarded-For does not make a trusted peer untrusted.
func TestGatewayIgnoresForwardedFor(t *testing.T) {
	t.Parallel()
	who := newSomeone()
	a := build(t, identity.Options{TrustHeaders: true})
	wantSomeone(t, a, request(who.headers("X-Forwarded-For", "203.0.113.9")...), who)
}

func TestHeadersAreNotTrustedByDefault(t *testing.T) {
	t.Parallel()
	who := newSomeone()
	for name, o := range map[string]identity.Options{
		"nothing on":         {},
		"proxies named only": {TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		"a secret":           withJWT(newClock(), identity.JWT{Secret: secret}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, build(t, o), request(who.headers()...), identity.ReasonMissing)
		})
	}
}

// If there is a bearer token, the headers of a gateway are ignored.
func TestBearerTakesPrecedence(t *testing.T) {
	t.Parallel()
	c, who, other := newClock(), newSomeone(), newSomeone()
	o := withJWT(c, identity.JWT{Secret: secret})
	o.TrustHeaders = true
	a := build(t, o)
	token := jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), who.claims(c.now(), nil), nil)
	r := request(other.headers("X-Scopes", "activity:admin", "Authorization", "Bearer "+token)...)
	if got := wantSomeone(t, a, r, who); got.Scopes.Has(identity.ScopeRead) || got.Via != identity.ViaJWT {
		t.Errorf("got %+v, want nothing of the headers", got)
	}
	r.Header.Add("X-Tenant-Id", "not looked at")
	wantSomeone(t, a, r, who)
	c.advance(2 * 3600e9)
	wantRefused(t, a, r, identity.ReasonExpired)
	wantSomeone(t, a, request(other.headers()...), other)
}

func TestBearerHeader(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	a := build(t, withJWT(c, identity.JWT{Secret: secret}))
	token := jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), who.claims(c.now(), nil), nil)
	for _, value := range []string{
		"Bearer " + token, "bearer " + token, "BEARER " + token, "Bearer   " + token, "Bearer " + token + " ",
	} {
		wantSomeone(t, a, request("Authorization", value), who)
	}
	for name, test := range map[string]struct {
		headers []string
		want    identity.Reason
	}{
		"twice": {
			[]string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}, identity.ReasonRequest,
		},
		"a bad one first": {
			[]string{"Authorization", "Bearer x", "Authorization", "Bearer " + token}, identity.ReasonRequest,
		},
		"a bad one last": {
			[]string{"Authorization", "Bearer " + token, "Authorization", "Basic x"}, identity.ReasonRequest,
		},
		"an empty one beside": {
			[]string{"Authorization", "", "Authorization", "Bearer " + token}, identity.ReasonRequest,
		},
		"no scheme":           {[]string{"Authorization", token}, identity.ReasonMissing},
		"another scheme":      {[]string{"Authorization", "Token " + token}, identity.ReasonMissing},
		"a tab":               {[]string{"Authorization", "Bearer\t" + token}, identity.ReasonMissing},
		"Proxy-Authorization": {[]string{"Proxy-Authorization", "Bearer " + token}, identity.ReasonMissing},
		"X-Authorization":     {[]string{"X-Authorization", "Bearer " + token}, identity.ReasonMissing},
		"a cookie": {
			[]string{"Cookie", "Authorization=Bearer " + token + "; access_token=" + token}, identity.ReasonMissing,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, a, request(test.headers...), test.want)
		})
	}
}

func TestNoTokenFromURLOrForm(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	a := build(t, withJWT(c, identity.JWT{Secret: secret}))
	token := jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), who.claims(c.now(), nil), nil)
	r, err := http.NewRequest(http.MethodPost,
		"http://"+token+"@localhost/v1/activities?access_token="+token+"&token="+token,
		strings.NewReader("access_token="+token))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	wantRefused(t, a, r, identity.ReasonMissing)
	if r.Form != nil {
		t.Error("the form was read, want the body left alone")
	}
}
