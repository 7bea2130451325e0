package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

const (
	issuer   = "https://issuer.example"
	audience = "fanfare"
	secret   = "0123456789abcdef0123456789abcdef"
)

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

// newClock returns a clock at a whole second, the precision of a JWT's dates.
func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// someone is a principal of a tenant.
type someone struct{ tenant, principal uuid.UUID }

func newSomeone() someone { return someone{uuid.New(), uuid.New()} }

// claims returns valid claims with changes. A nil value removes a claim.
func (s someone) claims(now time.Time, changes jwt.MapClaims) jwt.MapClaims {
	claims := jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": s.principal.String(), "tenant_id": s.tenant.String(),
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// build returns an authenticator, whose options must be valid.
func build(t testing.TB, o identity.Options) *identity.Authenticator {
	t.Helper()
	a, err := identity.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// withJWT returns options with an issuer and an audience.
func withJWT(c *clock, o identity.JWT) identity.Options {
	o.Issuer, o.Audience = issuer, audience
	return identity.Options{JWT: o, Now: c.now}
}

// request returns a request from a loopback address. headers are pairs of a name and a value.
func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/notifications", nil)
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "127.0.0.1:8080"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func withBearer(token string) *http.Request { return request("Authorization", "Bearer "+token) }

func wantSomeone(t testing.TB, a *identity.Authenticator, r *http.Request, want someone) identity.Identity {
	t.Helper()
	got, err := a.Authenticate(r)
	if err != nil {
		t.Fatalf("got %v, want an identity", err)
	}
	if got.TenantID != want.tenant || got.PrincipalID != want.principal {
		t.Fatalf("got %s of %s, want %s of %s", got.PrincipalID, got.TenantID, want.principal, want.tenant)
	}
	return got
}

func wantRefused(t testing.TB, a *identity.Authenticator, r *http.Request, want identity.Reason) {
	t.Helper()
	got, err := a.Authenticate(r)
	if got.TenantID != uuid.Nil || got.PrincipalID != uuid.Nil || got.Scopes != nil || got.Via != "" {
		t.Errorf("got the identity %+v, want none", got)
	}
	var refused *identity.Refused
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want it refused as %q", err, want)
	}
	if refused.Reason != want {
		t.Errorf("got refused as %q, want %q", refused.Reason, want)
	}
}

// wantUnavailable requires an error that is not a refusal.
func wantUnavailable(t testing.TB, a *identity.Authenticator, r *http.Request) error {
	t.Helper()
	_, err := a.Authenticate(r)
	var refused *identity.Refused
	if err == nil || errors.As(err, &refused) {
		t.Fatalf("got %v, want an error that is not a refusal", err)
	}
	return err
}

// RSA keys take long to generate, so the tests share them.
var (
	rsaKey      = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
)

func ecKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func edKey() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// pemOf returns public keys as PEM.
func pemOf(keys ...crypto.Signer) string {
	var b strings.Builder
	for _, key := range keys {
		der := must(x509.MarshalPKIXPublicKey(key.Public()))
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	return b.String()
}

// jwk returns a public key as a JWK, with changes.
func jwk(t testing.TB, id string, key any, changes map[string]any) map[string]any {
	t.Helper()
	generated, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{
		Metadata: jwkset.JWKMetadataOptions{KID: id}, Marshal: jwkset.JWKMarshalOptions{Private: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(must(json.Marshal(generated.Marshal())), &fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		fields[name] = value
	}
	return fields
}

func jwks(keys ...map[string]any) string {
	return string(must(json.Marshal(map[string]any{"keys": keys})))
}

// file writes a temporary file and returns its path.
func file(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
