package identity_test

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

// Each kind of key verifies its own algorithms.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	p256, p384, p521, ed := ecKey(elliptic.P256()), ecKey(elliptic.P384()), ecKey(elliptic.P521()), edKey()
	all := file(t, pemOf(rsaKey(), p256, p384, p521, ed))
	for algorithm, test := range map[string]struct {
		o   identity.JWT
		key any
	}{
		"HS256": {identity.JWT{Secret: secret}, []byte(secret)},
		"HS384": {identity.JWT{Secret: secret}, []byte(secret)},
		"HS512": {identity.JWT{Secret: secret}, []byte(secret)},
		"RS256": {identity.JWT{PublicKeyFile: all}, rsaKey()},
		"RS384": {identity.JWT{PublicKeyFile: all}, rsaKey()},
		"RS512": {identity.JWT{PublicKeyFile: all}, rsaKey()},
		"PS256": {identity.JWT{PublicKeyFile: all}, rsaKey()},
		"PS384": {identity.JWT{PublicKeyFile: all}, rsaKey()},
		"PS512": {identity.JWT{PublicKeyFile: all}, rsaKey()},
		"ES256": {identity.JWT{PublicKeyFile: all}, p256},
		"ES384": {identity.JWT{PublicKeyFile: all}, p384},
		"ES512": {identity.JWT{PublicKeyFile: all}, p521},
		"EdDSA": {identity.JWT{PublicKeyFile: all}, ed},
	} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			a := build(t, withJWT(c, test.o))
			token := jwttest.SignWith(t, jwt.GetSigningMethod(algorithm), test.key, who.claims(c.now(), nil),
				map[string]any{"kid": "any"})
			got := wantSomeone(t, a, withBearer(token), who)
			want := identity.Identity{
				Principal: activity.Principal{TenantID: who.tenant, PrincipalID: who.principal},
				Scopes:    identity.Scopes{},
				Via:       "jwt",
				Expires:   c.now().Add(time.Hour),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			middle := strings.LastIndex(token, ".") + 10 // no bit is padding there
			tampered := token[:middle] + strings.Map(func(r rune) rune {
				if r == 'A' {
					return 'B'
				}
				return 'A'
			}, token[middle:middle+1]) + token[middle+1:]
			wantRefused(t, a, withBearer(tampered), identity.ReasonSignature)
		})
	}
}

// The key determines the algorithm, not the token's header.
func TestAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	p256, p384 := ecKey(elliptic.P256()), ecKey(elliptic.P384())
	public := pemOf(rsaKey())
	bySecret := build(t, withJWT(c, identity.JWT{Secret: secret}))
	byRSA := build(t, withJWT(c, identity.JWT{PublicKeyFile: file(t, public)}))
	byP384 := build(t, withJWT(c, identity.JWT{PublicKeyFile: file(t, pemOf(p384))}))
	byJWKS := build(t, withJWT(c, identity.JWT{JWKSFile: file(t, jwks(
		jwk(t, "rsa", rsaKey().Public(), map[string]any{"alg": "RS256"}),
		jwk(t, "p256", p256.Public(), nil),
		jwk(t, "oct", []byte(secret), nil),
		jwk(t, "oct-as-rsa", []byte(secret), map[string]any{"alg": "RS256"}),
	))}))
	claims := who.claims(c.now(), nil)
	of := func(algorithm string, key any, kid string) string {
		header := map[string]any{}
		if kid != "" {
			header["kid"] = kid
		}
		return jwttest.SignWith(t, jwt.GetSigningMethod(algorithm), key, claims, header)
	}
	for name, test := range map[string]struct {
		a     *identity.Authenticator
		token string
		want  identity.Reason
	}{
		"none with a secret": {
			bySecret, of("none", jwt.UnsafeAllowNoneSignatureType, ""), identity.ReasonSignature,
		},
		"none with a public key": {
			byRSA, of("none", jwt.UnsafeAllowNoneSignatureType, ""), identity.ReasonSignature,
		},
		"none with a key set": {
			byJWKS, of("none", jwt.UnsafeAllowNoneSignatureType, "rsa"), identity.ReasonSignature,
		},
		"HS256 by the public key's PEM": {byRSA, of("HS256", []byte(public), ""), identity.ReasonAlgorithm},
		"HS256 by the trimmed PEM": {
			byRSA, of("HS256", []byte(strings.TrimSpace(public)), ""), identity.ReasonAlgorithm,
		},
		"HS512 by the public key's PEM":  {byRSA, of("HS512", []byte(public), ""), identity.ReasonAlgorithm},
		"HS256 by a key in a set":        {byJWKS, of("HS256", []byte(public), "rsa"), identity.ReasonAlgorithm},
		"HS256 by a symmetric key in it": {byJWKS, of("HS256", []byte(secret), "oct"), identity.ReasonUnknownKey},
		"HS256 by one that claims RS256": {
			byJWKS, of("HS256", []byte(secret), "oct-as-rsa"), identity.ReasonUnknownKey,
		},
		"HS256 and no kid":                 {byJWKS, of("HS256", []byte(secret), ""), identity.ReasonAlgorithm},
		"PS256 with a key for RS256 alone": {byJWKS, of("PS256", rsaKey(), "rsa"), identity.ReasonAlgorithm},
		"RS256 with a secret":              {bySecret, of("RS256", rsaKey(), ""), identity.ReasonAlgorithm},
		"ES256 with a P-384 key":           {byP384, of("ES256", p256, ""), identity.ReasonAlgorithm},
		"ES256 by another key": {
			byJWKS, of("ES256", ecKey(elliptic.P256()), "p256"), identity.ReasonSignature,
		},
		"RS256 by another key":          {byRSA, of("RS256", otherRSAKey(), ""), identity.ReasonSignature},
		"ES256 under the RSA key's kid": {byJWKS, of("ES256", p256, "rsa"), identity.ReasonAlgorithm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, test.a, withBearer(test.token), test.want)
		})
	}
	wantSomeone(t, byJWKS, withBearer(of("RS256", rsaKey(), "rsa")), who)
	wantSomeone(t, byJWKS, withBearer(of("ES256", p256, "")), who)
}

func TestClaims(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	now := c.now()
	a := build(t, withJWT(c, identity.JWT{Secret: secret}))
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, test := range map[string]struct {
		claims jwt.MapClaims
		want   identity.Reason // "" if it is accepted
	}{
		"all":                       {nil, ""},
		"one of two audiences":      {jwt.MapClaims{"aud": []string{"other", audience}}, ""},
		"no iat":                    {jwt.MapClaims{"iat": nil}, ""},
		"upper-case ids":            {jwt.MapClaims{"sub": strings.ToUpper(who.principal.String())}, ""},
		"iss another":               {jwt.MapClaims{"iss": "https://issuer.example.evil"}, identity.ReasonIssuer},
		"iss with a slash":          {jwt.MapClaims{"iss": issuer + "/"}, identity.ReasonIssuer},
		"iss in other case":         {jwt.MapClaims{"iss": strings.ToUpper(issuer)}, identity.ReasonIssuer},
		"iss missing":               {jwt.MapClaims{"iss": nil}, identity.ReasonClaims},
		"iss empty":                 {jwt.MapClaims{"iss": ""}, identity.ReasonClaims},
		"iss a list":                {jwt.MapClaims{"iss": []string{issuer}}, identity.ReasonClaims},
		"aud another":               {jwt.MapClaims{"aud": "fanfare-staging"}, identity.ReasonAudience},
		"aud missing":               {jwt.MapClaims{"aud": nil}, identity.ReasonClaims},
		"aud empty":                 {jwt.MapClaims{"aud": []string{}}, identity.ReasonClaims},
		"aud a number":              {jwt.MapClaims{"aud": 1}, identity.ReasonClaims},
		"aud with a number":         {jwt.MapClaims{"aud": []any{audience, 1}}, identity.ReasonClaims},
		"aud an object":             {jwt.MapClaims{"aud": map[string]any{audience: true}}, identity.ReasonClaims},
		"exp missing":               {jwt.MapClaims{"exp": nil}, identity.ReasonClaims},
		"exp null":                  {jwt.MapClaims{"exp": json.RawMessage("null")}, identity.ReasonClaims},
		"exp zero":                  {jwt.MapClaims{"exp": 0}, identity.ReasonClaims},
		"exp text":                  {jwt.MapClaims{"exp": "4102444800"}, identity.ReasonClaims},
		"exp long past":             {jwt.MapClaims{"exp": at(-24 * time.Hour)}, identity.ReasonExpired},
		"exp past, within the skew": {jwt.MapClaims{"exp": at(-29 * time.Second)}, ""},
		"exp past, at the skew":     {jwt.MapClaims{"exp": at(-30 * time.Second)}, identity.ReasonExpired},
		"exp now":                   {jwt.MapClaims{"exp": at(0)}, ""},
		"exp negative":              {jwt.MapClaims{"exp": -1}, identity.ReasonClaims},
		"exp beyond all":            {jwt.MapClaims{"exp": json.RawMessage("1e300")}, identity.ReasonClaims},
		"exp beyond numbers":        {jwt.MapClaims{"exp": json.RawMessage("1e999")}, identity.ReasonMalformed},
		"exp beyond year 9999":      {jwt.MapClaims{"exp": 253402300800}, identity.ReasonClaims},
		"exp in year 9999":          {jwt.MapClaims{"exp": 253402300799}, ""},
		"nbf in the future":         {jwt.MapClaims{"nbf": at(time.Minute)}, identity.ReasonNotYetValid},
		"nbf within the skew":       {jwt.MapClaims{"nbf": at(30 * time.Second)}, ""},
		"nbf text":                  {jwt.MapClaims{"nbf": "0"}, identity.ReasonClaims},
		"nbf before all":            {jwt.MapClaims{"nbf": json.RawMessage("-1e300")}, identity.ReasonClaims},
		"iat in the future":         {jwt.MapClaims{"iat": at(time.Minute)}, identity.ReasonNotYetValid},
		"iat text":                  {jwt.MapClaims{"iat": "now"}, identity.ReasonClaims},
		"tenant missing":            {jwt.MapClaims{"tenant_id": nil}, identity.ReasonClaims},
		"tenant no UUID":            {jwt.MapClaims{"tenant_id": "acme"}, identity.ReasonClaims},
		"tenant nil":                {jwt.MapClaims{"tenant_id": uuid.Nil.String()}, identity.ReasonClaims},
		"tenant a number":           {jwt.MapClaims{"tenant_id": 7}, identity.ReasonClaims},
		"tenant a list":             {jwt.MapClaims{"tenant_id": []string{who.tenant.String()}}, identity.ReasonClaims},
		"tenant in braces": {
			jwt.MapClaims{"tenant_id": "{" + who.tenant.String() + "}"}, identity.ReasonClaims,
		},
		"tenant a URN": {jwt.MapClaims{"tenant_id": who.tenant.URN()}, identity.ReasonClaims},
		"tenant without dashes": {
			jwt.MapClaims{"tenant_id": strings.ReplaceAll(who.tenant.String(), "-", "")}, identity.ReasonClaims,
		},
		"tenant with a space": {jwt.MapClaims{"tenant_id": " " + who.tenant.String()}, identity.ReasonClaims},
		"tenant in other case": {
			jwt.MapClaims{"tenant_id": nil, "Tenant_Id": who.tenant.String()}, identity.ReasonClaims,
		},
		"sub missing":          {jwt.MapClaims{"sub": nil}, identity.ReasonClaims},
		"sub a name":           {jwt.MapClaims{"sub": "alice"}, identity.ReasonClaims},
		"sub null":             {jwt.MapClaims{"sub": json.RawMessage("null")}, identity.ReasonClaims},
		"scope a number":       {jwt.MapClaims{"scope": 1}, identity.ReasonClaims},
		"scopes with a number": {jwt.MapClaims{"scopes": []any{identity.ScopeRead, 1}}, identity.ReasonClaims},
		"wrong in every way":   {jwt.MapClaims{"iss": "x", "aud": "y", "exp": 1}, identity.ReasonIssuer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := withBearer(jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), who.claims(now, test.claims),
				nil))
			if test.want == "" {
				wantSomeone(t, a, r, who)
				return
			}
			wantRefused(t, a, r, test.want)
			// A forger gets no information about the claims.
			forged := withBearer(jwttest.SignWith(t, jwt.SigningMethodHS256, []byte("x"), who.claims(now, test.claims),
				nil))
			if test.want != identity.ReasonMalformed {
				wantRefused(t, a, forged, identity.ReasonSignature)
			}
		})
	}
}

func TestClockSkewIsConfigurable(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	a := build(t, withJWT(c, identity.JWT{Secret: secret, ClockSkew: 2 * time.Minute}))
	r := withBearer(jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), who.claims(c.now(), nil), nil))
	wantSomeone(t, a, r, who)
	c.advance(time.Hour + 119*time.Second)
	wantSomeone(t, a, r, who)
	c.advance(time.Second)
	wantRefused(t, a, r, identity.ReasonExpired)
}

func TestClaimNames(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tenant, principal, decoy := who.tenant.String(), who.principal.String(), uuid.NewString()
	for name, test := range map[string]struct {
		tenantClaim, principalClaim string
		claims                      jwt.MapClaims
		refused                     bool
	}{
		"nested": {
			"app.tenant",
			"app.user.id",
			jwt.MapClaims{"app": map[string]any{"tenant": tenant, "user": map[string]any{"id": principal}}},
			false,
		},
		"a name with dots": {
			"https://example.com/tenant", "sub", jwt.MapClaims{"https://example.com/tenant": tenant}, false,
		},
		"the name first": {
			"app.tenant", "sub", jwt.MapClaims{"app.tenant": tenant, "app": map[string]any{"tenant": decoy}}, false,
		},
		"not the default": {"org", "sub", jwt.MapClaims{"tenant_id": decoy, "org": tenant}, false},
		"nothing there":   {"app.tenant", "sub", jwt.MapClaims{"app": map[string]any{"other": tenant}}, true},
		"through text":    {"app.tenant", "sub", jwt.MapClaims{"app": tenant}, true},
		"through a list":  {"app.0", "sub", jwt.MapClaims{"app": []string{tenant}}, true},
		"an object":       {"app", "sub", jwt.MapClaims{"app": map[string]any{"tenant": tenant}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := build(
				t,
				withJWT(c,
					identity.JWT{Secret: secret, TenantClaim: test.tenantClaim, PrincipalClaim: test.principalClaim}),
			)
			claims := who.claims(c.now(), jwt.MapClaims{"tenant_id": nil})
			maps.Copy(claims, test.claims)
			r := withBearer(jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), claims, nil))
			if test.refused {
				wantRefused(t, a, r, identity.ReasonClaims)
				return
			}
			wantSomeone(t, a, r, who)
		})
	}
}

func TestScopeClaims(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	a := build(t, withJWT(c, identity.JWT{Secret: secret}))
	for name, test := range map[string]struct {
		claims      jwt.MapClaims
		read, admin bool
	}{
		"none":        {jwt.MapClaims{}, false, false},
		"scope":       {jwt.MapClaims{"scope": "openid activity:read"}, true, false},
		"scp":         {jwt.MapClaims{"scp": []string{"activity:read"}}, true, false},
		"scopes":      {jwt.MapClaims{"scopes": []string{"profile", "activity:admin"}}, true, true},
		"scp as text": {jwt.MapClaims{"scp": "activity:admin"}, true, true},
		"several":     {jwt.MapClaims{"scope": "activity:read", "scp": []string{"activity:admin"}}, true, true},
		"others": {
			jwt.MapClaims{"scope": "activity activity:* activity:reader xactivity:read"}, false, false,
		},
		"in other case":    {jwt.MapClaims{"scope": "Activity:Read"}, false, false},
		"spaces in a list": {jwt.MapClaims{"scopes": []string{"activity:read activity:admin"}}, false, false},
		"commas":           {jwt.MapClaims{"scope": "activity:read,activity:admin"}, false, false},
		"null":             {jwt.MapClaims{"scope": json.RawMessage("null")}, false, false},
		"a claim like it": {
			jwt.MapClaims{"Scope": "activity:admin", "roles": []string{"activity:admin"}}, false, false,
		},
		"other white spaces": {jwt.MapClaims{"scope": "x\tactivity:admin"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := withBearer(jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret),
				who.claims(c.now(), test.claims), nil))
			got := wantSomeone(t, a, r, who).Scopes
			if got.Has(identity.ScopeRead) != test.read || got.Has(identity.ScopeAdmin) != test.admin {
				t.Errorf("got %v, want read %t, admin %t", got, test.read, test.admin)
			}
			if got.Has("") || got.Has("openid") {
				t.Errorf("%v contains unknown scopes", got)
			}
		})
	}
}

// segments returns a token of literal JSON, signed with the secret.
func segments(t testing.TB, header, claims string) string {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(
		[]byte(claims),
	)
	signature, err := jwt.SigningMethodHS256.Sign(text, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// nextDigit returns the next base64 digit. At the end of 32 bytes, the bits that differ are
// padding.
func nextDigit(digit byte) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(digits, digit)
	return digits[at+1 : at+2]
}

func TestMalformedTokens(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	a := build(t, withJWT(c, identity.JWT{Secret: secret}))
	good := jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), who.claims(c.now(), nil), nil)
	claims := string(must(json.Marshal(who.claims(c.now(), nil))))
	big := jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(secret),
		who.claims(c.now(), jwt.MapClaims{"groups": strings.Repeat("g", 16<<10)}), nil)
	for name, test := range map[string]struct {
		token string
		want  identity.Reason
	}{
		"huge":                      {big, identity.ReasonTooLong},
		"empty":                     {"", identity.ReasonMalformed},
		"spaces":                    {"    ", identity.ReasonMalformed},
		"one word":                  {"token", identity.ReasonMalformed},
		"two parts":                 {good[:strings.LastIndex(good, ".")], identity.ReasonMalformed},
		"four parts":                {good + ".x", identity.ReasonMalformed},
		"no signature":              {good[:strings.LastIndex(good, ".")+1], identity.ReasonSignature},
		"only dots":                 {"..", identity.ReasonMalformed},
		"two tokens":                {good + " " + good, identity.ReasonMalformed},
		"a comma":                   {good + "," + good, identity.ReasonMalformed},
		"quoted":                    {`"` + good + `"`, identity.ReasonMalformed},
		"a line break in it":        {good[:20] + "\r\n" + good[20:], identity.ReasonMalformed},
		"padded":                    {good + "=", identity.ReasonMalformed},
		"padding bits that are set": {good[:len(good)-1] + nextDigit(good[len(good)-1]), identity.ReasonMalformed},
		"standard base64": {
			strings.NewReplacer("-", "+", "_", "/").Replace(good) + "+", identity.ReasonMalformed,
		},
		"not ASCII":         {good + "é", identity.ReasonMalformed},
		"NUL":               {good + "\x00", identity.ReasonMalformed},
		"header null":       {segments(t, `null`, claims), identity.ReasonAlgorithm},
		"header a list":     {segments(t, `[]`, claims), identity.ReasonMalformed},
		"no alg":            {segments(t, `{"typ":"JWT"}`, claims), identity.ReasonAlgorithm},
		"alg a list":        {segments(t, `{"alg":["HS256"]}`, claims), identity.ReasonAlgorithm},
		"alg unknown":       {segments(t, `{"alg":"HS1"}`, claims), identity.ReasonAlgorithm},
		"alg in other case": {segments(t, `{"alg":"hs256"}`, claims), identity.ReasonAlgorithm},
		"kid a number":      {segments(t, `{"alg":"HS256","kid":1}`, claims), identity.ReasonMalformed},
		"kid a list":        {segments(t, `{"alg":"HS256","kid":["a"]}`, claims), identity.ReasonMalformed},
		"critical extension": {
			segments(t, `{"alg":"HS256","crit":["exp"]}`, claims), identity.ReasonMalformed,
		},
		"critical unencoded payload": {
			segments(t, `{"alg":"HS256","b64":false,"crit":["b64"]}`, claims), identity.ReasonMalformed,
		},
		"claims null":     {segments(t, `{"alg":"HS256"}`, `null`), identity.ReasonClaims},
		"claims text":     {segments(t, `{"alg":"HS256"}`, `"x"`), identity.ReasonMalformed},
		"claims a list":   {segments(t, `{"alg":"HS256"}`, `[`+claims+`]`), identity.ReasonMalformed},
		"claims and more": {segments(t, `{"alg":"HS256"}`, claims+claims), identity.ReasonMalformed},
		"claims cut": {
			segments(t, `{"alg":"HS256"}`, claims[:len(claims)-1]), identity.ReasonMalformed,
		},
		"claims nested deeply": {
			segments(t, `{"alg":"HS256"}`, strings.Repeat(`{"a":`, 2000)+strings.Repeat(`}`, 2000)),
			identity.ReasonMalformed,
		},
		"five parts, like a JWE": {"a.b.c.d.e", identity.ReasonMalformed},
		"a service token, none known": {
			"ff" + strings.Repeat("_"+strings.Repeat("0", 32), 2) + "_" + strings.Repeat("0", 64), identity.ReasonToken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, a, withBearer(test.token), test.want)
		})
	}
	// Header parameters that locate a key are ignored.
	for name, header := range map[string]string{
		"jwk":       `{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`,
		"jku":       `{"alg":"HS256","jku":"https://evil.example/keys"}`,
		"x5u":       `{"alg":"HS256","x5u":"https://evil.example/cert"}`,
		"kid path":  `{"alg":"HS256","kid":"../../../../dev/null"}`,
		"kid SQL":   `{"alg":"HS256","kid":"' UNION SELECT 'key' --"}`,
		"kid empty": `{"alg":"HS256","kid":""}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantSomeone(t, a, withBearer(segments(t, header, claims)), who)
			forged := segments(t, header, claims)
			forged = forged[:strings.LastIndex(forged, ".")+1] + base64.RawURLEncoding.EncodeToString(make([]byte, 32))
			wantRefused(t, a, withBearer(forged), identity.ReasonSignature)
		})
	}
}
