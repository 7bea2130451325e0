package identity_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

func TestZeroValuesRefuseEveryRequest(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	token := jwttest.SignWith(t, jwt.SigningMethodHS256, []byte(""), who.claims(c.now(), nil), nil)
	if err := (identity.Options{}).Validate(); err != nil {
		t.Errorf("Validate: got %v, want none", err)
	}
	for name, a := range map[string]*identity.Authenticator{"options": build(t,
		identity.Options{}), "authenticator": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, a, request(), identity.ReasonMissing)
			wantRefused(t, a, request(who.headers()...), identity.ReasonMissing)
			wantRefused(t, a, withBearer(token), identity.ReasonUnknownKey)
			zeros := "ff" + strings.Repeat("_"+strings.Repeat("0", 32), 2) + "_" + strings.Repeat("0", 64)
			wantRefused(t, a, withBearer(zeros), identity.ReasonToken)
		})
	}
}

func TestValidateReportsEveryViolation(t *testing.T) {
	t.Parallel()
	o := identity.Options{
		JWT: identity.JWT{
			Secret: "hunter2", JWKSURL: "http://keys.example/", TenantClaim: "a..b", PrincipalClaim: "a..b",
			ClockSkew: 3 * time.Minute, JWKSRefresh: time.Second, JWKSTimeout: time.Hour,
		},
		TrustHeaders: true,
		TrustedProxies: []netip.Prefix{
			{},
			netip.MustParsePrefix("0.0.0.0/0"),
			netip.MustParsePrefix("::/0"),
			netip.MustParsePrefix("::ffff:10.0.0.0/104"),
		},
	}
	err := o.Validate()
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{
		"exactly one of", "got 2 (secret, JWKS URL)", "issuer", "audience", "tenant claim", "principal claim",
		"must not be the same as the principal claim", "clock skew", "JWKS refresh", "JWKS timeout",
		"7 bytes long; the minimum is 32", "invalid Prefix", "0.0.0.0/0", "::/0", "::ffff:10.0.0.0/104",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the secret: %v", err)
	}
}

func TestValidateRules(t *testing.T) {
	t.Parallel()
	right := identity.JWT{Issuer: issuer, Audience: audience}
	with := func(change func(*identity.JWT)) identity.JWT { o := right; change(&o); return o }
	weak := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsa.PublicKey{
		N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537,
	})})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(rsaKey()))})
	for want, o := range map[string]identity.JWT{
		"got 0":                 right,
		"audience: is required": {Secret: secret, Issuer: issuer},
		"issuer: is required":   {Secret: secret, Audience: audience},
		"no such file":          with(func(o *identity.JWT) { o.PublicKeyFile = filepath.Join(t.TempDir(), "none") }),
		"no such file ":         with(func(o *identity.JWT) { o.JWKSFile = filepath.Join(t.TempDir(), "none") }),
		"no PEM block":          with(func(o *identity.JWT) { o.PublicKeyFile = file(t, "key") }),
		"contains no PEM":       with(func(o *identity.JWT) { o.PublicKeyFile = file(t, "") }),
		"a private key":         with(func(o *identity.JWT) { o.PublicKeyFile = file(t, string(private)) }),
		"RSA key of 1024":       with(func(o *identity.JWT) { o.PublicKeyFile = file(t, string(weak)) }),
		"invalid public key": with(func(o *identity.JWT) {
			o.PublicKeyFile = file(t, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
		}),
		"not a public key": with(func(o *identity.JWT) {
			o.PublicKeyFile = file(t, "-----BEGIN THING-----\nAAAA\n-----END THING-----\n")
		}),
		"larger than":      with(func(o *identity.JWT) { o.PublicKeyFile = file(t, strings.Repeat(" ", 2<<20)) }),
		"JSON Web Key Set": with(func(o *identity.JWT) { o.JWKSFile = file(t, "key") }),
		"contains no key": with(func(o *identity.JWT) {
			o.JWKSFile = file(t, jwks(jwk(t, "k", []byte(secret), nil)))
		}),
		"must be https":             with(func(o *identity.JWT) { o.JWKSURL = "http://10.0.0.1/keys" }),
		"must be https, ":           with(func(o *identity.JWT) { o.JWKSURL = "http://localhost.evil.example/keys" }),
		"must be https://host":      with(func(o *identity.JWT) { o.JWKSURL = "file:///etc/keys" }),
		"must be https://host/path": with(func(o *identity.JWT) { o.JWKSURL = "keys.example" }),
		"user or a password":        with(func(o *identity.JWT) { o.JWKSURL = "https://u:hunter2@keys.example" }),
		"clock skew -1s: must":      with(func(o *identity.JWT) { o.Secret, o.ClockSkew = secret, -time.Second }),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			err := identity.Options{JWT: o}.Validate()
			if err == nil || !strings.Contains(err.Error()+" ", want) {
				t.Fatalf("got %v, want %q in it", err, want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a password: %v", err)
			}
			if strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("got %v, want one violation", err)
			}
		})
	}
}

func TestValidateAccepts(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"https://keys.example/", "http://localhost:8080/keys", "http://127.0.0.1/keys", "http://[::1]:80/keys",
	} {
		if err := withJWT(newClock(), identity.JWT{JWKSURL: url}).Validate(); err != nil {
			t.Errorf("%s: got %v, want none", url, err)
		}
	}
	if err := withJWT(newClock(),
		identity.JWT{JWKSURL: "http://keycloak:8080/", JWKSAllowHTTP: true}).Validate(); err != nil {
		t.Errorf("http, allowed: got %v, want none", err)
	}
}

// A key may be in a certificate or in PKCS #1 form.
func TestPublicKeyForms(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	certificate := must(
		x509.CreateCertificate(rand.Reader,
			&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"}},
			&x509.Certificate{SerialNumber: big.NewInt(1)}, rsaKey().Public(), rsaKey()),
	)
	r := withBearer(jwttest.SignWith(t, jwt.SigningMethodRS256, rsaKey(), who.claims(c.now(), nil), nil))
	for _, block := range []*pem.Block{
		{Type: "CERTIFICATE", Bytes: certificate},
		{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)},
	} {
		path := file(t, "a comment\n"+string(pem.EncodeToMemory(block)))
		wantSomeone(t, build(t, withJWT(c, identity.JWT{PublicKeyFile: path})), r, who)
	}
	// During a rotation, the file contains both keys.
	wantSomeone(t, build(t, withJWT(c, identity.JWT{PublicKeyFile: file(t, pemOf(otherRSAKey(), rsaKey()))})), r, who)
}

func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	o := withJWT(newClock(), identity.JWT{Secret: "hunter2hunter2hunter2hunter2hunter2"})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{o, &o, o.JWT, o.JWT.Secret, []identity.Secret{o.JWT.Secret}} {
			if got := fmt.Sprintf(verb, value); strings.Contains(got, "hunter2") ||
				strings.Contains(got, "68756e746572") {
				t.Errorf("%s of %T shows the secret: %s", verb, value, got)
			}
		}
	}
	if got := string(must(json.Marshal(o.JWT.Secret))); got != `"[redacted]"` {
		t.Errorf("JSON: got %s, want [redacted]", got)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for reason, want := range map[identity.Reason]struct {
		status    int
		challenge string
	}{
		identity.ReasonMissing: {401, `Bearer realm="fanfare"`},
		identity.ReasonRequest: {
			400, `Bearer realm="fanfare", error="invalid_request", error_description="malformed request"`,
		},
		identity.ReasonExpired: {401, `Bearer realm="fanfare", error="invalid_token", error_description="expired"`},
	} {
		refused := &identity.Refused{Reason: reason}
		if refused.Status() != want.status || refused.Challenge() != want.challenge {
			t.Errorf("%s: got %d %s, want %d %s", reason, refused.Status(), refused.Challenge(), want.status,
				want.challenge)
		}
		var target *identity.Refused
		if err := fmt.Errorf("authenticate: %w", refused); !errors.As(err, &target) {
			t.Errorf("%s: errors.As does not find it in a wrapping error", reason)
		}
	}
	const want = `Bearer realm="fanfare", error="insufficient_scope", scope="activity:read"`
	if got := identity.InsufficientScope(identity.ScopeRead); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		scopes      identity.Scopes
		read, admin bool
	}{
		"none":  {nil, false, false},
		"read":  {identity.Scopes{identity.ScopeRead}, true, false},
		"admin": {identity.Scopes{identity.ScopeAdmin}, true, true},
		"both":  {identity.Scopes{identity.ScopeRead, identity.ScopeAdmin}, true, true},
	} {
		if got := test.scopes.Has(identity.ScopeRead); got != test.read {
			t.Errorf("%s, read: got %t, want %t", name, got, test.read)
		}
		if got := test.scopes.Has(identity.ScopeAdmin); got != test.admin {
			t.Errorf("%s, admin: got %t, want %t", name, got, test.admin)
		}
	}
}
