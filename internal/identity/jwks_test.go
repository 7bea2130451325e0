package identity_test

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

// keyServer serves an issuer's key set, which tests change.
type keyServer struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  int
}

func newKeyServer(t testing.TB, answer http.HandlerFunc) *keyServer {
	t.Helper()
	s := &keyServer{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked++
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) become(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *keyServer) wantAsked(t testing.TB, want int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != want {
		t.Errorf("the key server got %d requests, want %d", s.asked, want)
	}
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// begin authenticates in a goroutine.
func begin(a *identity.Authenticator, r *http.Request) <-chan error {
	outcome := make(chan error, 1)
	go func() {
		_, err := a.Authenticate(r)
		outcome <- err
	}()
	return outcome
}

// es256 returns a token that a new key signed, and the key as the issuer publishes it.
func es256(t testing.TB, c *clock, who someone, kid string) (token string, published map[string]any) {
	t.Helper()
	key := ecKey(elliptic.P256())
	return jwttest.SignWith(
			t,
			jwt.SigningMethodES256,
			key,
			who.claims(c.now(), jwt.MapClaims{"exp": c.now().Add(100 * time.Hour).Unix()}),
			map[string]any{"kid": kid},
		),
		jwk(t, kid, key.Public(), nil)
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	first, firstKey := es256(t, c, who, "first")
	second, secondKey := es256(t, c, who, "second")
	server := newKeyServer(t, text(jwks(firstKey)))
	a := build(t, withJWT(c, identity.JWT{JWKSURL: server.URL}))
	server.wantAsked(t, 0)
	wantSomeone(t, a, withBearer(first), who)
	wantSomeone(t, a, withBearer(first), who)
	server.wantAsked(t, 1)

	server.become(text(jwks(secondKey)))
	wantRefused(t, a, withBearer(second), identity.ReasonUnknownKey) // the last fetch was a moment ago
	server.wantAsked(t, 1)
	c.advance(10 * time.Second)
	wantSomeone(t, a, withBearer(second), who)
	wantRefused(t, a, withBearer(first), identity.ReasonUnknownKey)
	server.wantAsked(t, 2)
}

// A new key with the id of an old one is found by a token whose signature the old one does not
// verify, and forged signatures cause one fetch each ten seconds at most.
func TestKeyRotationWithoutANewID(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	first, firstKey := es256(t, c, who, "same")
	second, secondKey := es256(t, c, who, "same")
	rsaToken := jwttest.SignWith(t, jwt.SigningMethodRS256, rsaKey(),
		who.claims(c.now(), jwt.MapClaims{"exp": c.now().Add(time.Hour).Unix()}), map[string]any{"kid": "same"})
	forged, _ := es256(t, c, who, "same")
	server := newKeyServer(t, text(jwks(firstKey)))
	a := build(t, withJWT(c, identity.JWT{JWKSURL: server.URL}))
	wantSomeone(t, a, withBearer(first), who)

	server.become(text(jwks(secondKey)))
	wantRefused(t, a, withBearer(second), identity.ReasonSignature) // the last fetch was a moment ago
	server.wantAsked(t, 1)
	c.advance(10 * time.Second)
	wantSomeone(t, a, withBearer(second), who)
	wantRefused(t, a, withBearer(first), identity.ReasonSignature)
	server.wantAsked(t, 2)

	c.advance(10 * time.Second)
	for range 50 {
		wantRefused(t, a, withBearer(forged), identity.ReasonSignature)
	}
	server.wantAsked(t, 3)

	// The new key is of another kind.
	server.become(text(jwks(jwk(t, "same", rsaKey().Public(), nil))))
	wantRefused(t, a, withBearer(rsaToken), identity.ReasonAlgorithm)
	c.advance(10 * time.Second)
	wantSomeone(t, a, withBearer(rsaToken), who)

	// Whatever the issuer answers to the look, the token is refused as before.
	server.become(status(http.StatusBadGateway))
	c.advance(10 * time.Second)
	wantRefused(t, a, withBearer(second), identity.ReasonAlgorithm)
	wantSomeone(t, a, withBearer(rsaToken), who)
}

// Each key that is skipped is reported once, while it stays in the set.
func TestSkippedKeys(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	token, published := es256(t, c, who, "known")
	encryption := jwk(t, "enc", ecKey(elliptic.P256()).Public(), map[string]any{"use": "enc"})
	server := newKeyServer(t, text(jwks(encryption, encryption, published, weakRSA())))
	var got []string
	o := withJWT(c, identity.JWT{JWKSURL: server.URL})
	o.SkippedKey = func(id, reason string) { got = append(got, id+": "+reason) }
	a := build(t, o)
	wantSomeone(t, a, withBearer(token), who)
	want := []string{
		`enc: is for another use than signatures: "enc"`,
		"weak: is an RSA key of 1024 bits; 2048 to 8192 are allowed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("skipped keys (-want +got):\n%s", diff)
	}
	server.become(text(jwks(encryption, published, weakRSA(), map[string]any{"kid": "oct", "kty": "oct", "k": "AAAA"})))
	c.advance(10 * time.Second)
	unknown, _ := es256(t, c, who, "unknown")
	wantRefused(t, a, withBearer(unknown), identity.ReasonUnknownKey)
	want = append(want, "oct: is symmetric, so that a published set must not contain it")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("skipped keys, after another fetch (-want +got):\n%s", diff)
	}
}

// Concurrent tokens with unknown keys cause one fetch.
func TestUnknownKeysCauseOneFetch(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	token, published := es256(t, c, who, "known")
	server := newKeyServer(t, text(jwks(published)))
	a := build(t, withJWT(c, identity.JWT{JWKSURL: server.URL}))
	wantSomeone(t, a, withBearer(token), who)
	for round := 2; round <= 4; round++ {
		c.advance(10 * time.Second)
		var outcomes []<-chan error
		for range 50 {
			unknown, _ := es256(t, c, who, uuid.NewString())
			outcomes = append(outcomes, begin(a, withBearer(unknown)))
		}
		for _, outcome := range outcomes {
			if err := <-outcome; err == nil || err.Error() != string(identity.ReasonUnknownKey) {
				t.Errorf("got %v, want a refusal: %s", err, identity.ReasonUnknownKey)
			}
		}
		server.wantAsked(t, round)
	}
}

// While the issuer is unavailable, tokens with known keys are accepted for a day.
func TestKeyServerDown(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	token, published := es256(t, c, who, "known")
	other, otherKey := es256(t, c, who, "other")
	server := newKeyServer(t, status(http.StatusBadGateway))
	a := build(t, withJWT(c, identity.JWT{JWKSURL: server.URL}))
	wantUnavailable(t, a, withBearer(token))
	wantUnavailable(t, a, withBearer(token))
	server.wantAsked(t, 1)

	server.become(text(jwks(published)))
	c.advance(10 * time.Second)
	wantSomeone(t, a, withBearer(token), who)

	server.become(status(http.StatusServiceUnavailable))
	c.advance(10 * time.Second)
	wantUnavailable(t, a, withBearer(other))
	wantSomeone(t, a, withBearer(token), who)
	c.advance(23 * time.Hour)
	wantSomeone(t, a, withBearer(token), who)
	c.advance(time.Hour)
	wantUnavailable(t, a, withBearer(token))

	server.become(text(jwks(published, otherKey)))
	c.advance(10 * time.Second)
	wantSomeone(t, a, withBearer(token), who)
	wantSomeone(t, a, withBearer(other), who)
}

func TestKeyServerUnreachable(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	token, _ := es256(t, c, who, "known")
	server := newKeyServer(t, status(http.StatusOK))
	server.Close()
	a := build(t, withJWT(c, identity.JWT{JWKSURL: server.URL + "/keys?token=hunter2"}))
	if err := wantUnavailable(t, a, withBearer(token)); strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the query: %v", err)
	}
}

// An invalid key set is reported and does not replace the current one.
func TestInvalidKeySet(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	token, published := es256(t, c, who, "known")
	elsewhere := newKeyServer(t, text(jwks(published)))
	flood := `{"keys":[` + strings.Repeat(" ", 1<<20) + `]}`
	many := make([]map[string]any, 65)
	for i := range many {
		many[i] = published
	}
	for name, answer := range map[string]http.HandlerFunc{
		"huge":                 text(flood),
		"endless":              func(w http.ResponseWriter, _ *http.Request) { writeUntilGone(w) },
		"too many keys":        text(jwks(many...)),
		"garbage":              text("<html>Sign in</html>"),
		"nothing":              text(""),
		"a list":               text("[]"),
		"an object":            text("{}"),
		"no keys":              text(jwks()),
		"keys of another type": text(`{"keys":{"kid":"known"}}`),
		"deep":                 text(strings.Repeat("[", 100_000)),
		"not found":            status(http.StatusNotFound),
		"no content":           status(http.StatusNoContent),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"keys":[`))
		},
		"gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte(jwks(published)[:10]))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			server := newKeyServer(t, answer)
			a := build(t, withJWT(c, identity.JWT{JWKSURL: server.URL}))
			wantUnavailable(t, a, withBearer(token))

			server.become(text(jwks(published)))
			c.advance(10 * time.Second)
			wantSomeone(t, a, withBearer(token), who)

			server.become(answer)
			c.advance(10 * time.Second)
			unknown, _ := es256(t, c, who, "unknown")
			wantUnavailable(t, a, withBearer(unknown))
			wantSomeone(t, a, withBearer(token), who)
		})
	}
	t.Cleanup(func() { elsewhere.wantAsked(t, 0) })
}

// writeUntilGone writes a key set without an end, until the client disconnects.
func writeUntilGone(w http.ResponseWriter) {
	_, err := w.Write([]byte(`{"keys":[`))
	for err == nil {
		_, err = w.Write([]byte(strings.Repeat(`{},`, 1000)))
	}
}

// A slow issuer delays only tokens with unknown keys, and for at most the timeout.
func TestKeyServerSlow(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	token, published := es256(t, c, who, "known")
	unknown, _ := es256(t, c, who, "unknown")
	asked := make(chan struct{}, 1)
	server := newKeyServer(t, text(jwks(published)))
	a := build(t, withJWT(c, identity.JWT{JWKSURL: server.URL, JWKSTimeout: time.Second}))
	wantSomeone(t, a, withBearer(token), who)
	server.become(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	c.advance(10 * time.Second)
	waiting := begin(a, withBearer(unknown))
	<-asked
	wantSomeone(t, a, withBearer(token), who)
	if err := <-waiting; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
}

// A client that disconnects does not cancel the fetch that other requests wait for.
func TestKeyServerSlowAndTheClientDisconnects(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	token, published := es256(t, c, who, "known")
	asked, answer := make(chan struct{}), make(chan struct{})
	server := newKeyServer(t, func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		_, _ = w.Write([]byte(jwks(published)))
	})
	a := build(t, withJWT(c, identity.JWT{JWKSURL: server.URL, JWKSTimeout: time.Minute}))
	leader, hangUp := context.WithCancel(t.Context())
	leading := begin(a, withBearer(token).WithContext(leader))
	<-asked
	hangUp()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	wantUnavailable(t, a, withBearer(token).WithContext(gone))
	close(answer)
	if err := <-leading; err != nil {
		t.Errorf("the request that disconnected: got %v, want its answer", err)
	}
	wantSomeone(t, a, withBearer(token), who)
	server.wantAsked(t, 1)
}

// The parameters of a key restrict it, and keys that cannot be used are ignored.
func TestKeySetContent(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	key := ecKey(elliptic.P256())
	weak := weakRSA()
	plain := jwk(t, "key", key.Public(), nil)
	off := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	other := jwk(t, "other", ecKey(elliptic.P256()).Public(), nil)
	for name, test := range map[string]struct {
		set   []map[string]any
		token string
		want  identity.Reason // "" if it is accepted
	}{
		"plain": {[]map[string]any{plain}, "key", ""},
		"for signatures": {
			[]map[string]any{jwk(t, "key", key.Public(), map[string]any{"use": "sig"})}, "key", "",
		},
		"for verifying": {
			[]map[string]any{jwk(t, "key", key.Public(), map[string]any{"key_ops": []string{"verify"}})}, "key", "",
		},
		"for its algorithm": {
			[]map[string]any{jwk(t, "key", key.Public(), map[string]any{"alg": "ES256"})}, "key", "",
		},
		"no kid in the token": {[]map[string]any{other, plain}, "", ""},
		"no kid in the set":   {[]map[string]any{jwk(t, "", key.Public(), nil)}, "key", ""},
		"two of one kid": {
			[]map[string]any{
				jwk(t, "key", rsaKey().Public(), nil), jwk(t, "key", ecKey(elliptic.P256()).Public(), nil), plain,
			},
			"key",
			"",
		},
		"with useless ones": {
			[]map[string]any{{"kty": "OKP2", "kid": "a"}, {"kty": "RSA", "kid": "b"}, {"kid": "c"}, plain}, "key", "",
		},
		"with its private part": {[]map[string]any{jwk(t, "key", key, nil)}, "key", ""},
		"members of its own": {
			[]map[string]any{jwk(t, "key", key.Public(), map[string]any{"x-note": map[string]any{}})}, "key", "",
		},
		// The hash as base64url of hexadecimal text, as two large identity providers serve it.
		"an unusual x5t": {
			[]map[string]any{jwk(t, "key", key.Public(), map[string]any{
				"x5t": base64.RawURLEncoding.EncodeToString([]byte("0123456789ABCDEF0123456789ABCDEF01234567")),
			})},
			"key", "",
		},
		"a certificate that is none": {
			[]map[string]any{jwk(t, "key", key.Public(), map[string]any{
				"x5c": []string{"none"}, "x5u": "ftp://nowhere", "x5t#S256": "short", "x5t": 7,
			})},
			"key", "",
		},
		"a certificate of another key": {
			[]map[string]any{jwk(t, "key", key.Public(), map[string]any{"x5c": "not a list"})}, "key", "",
		},
		"for encryption": {
			[]map[string]any{other, jwk(t, "key", key.Public(), map[string]any{"use": "enc"})},
			"key",
			identity.ReasonUnknownKey,
		},
		"for signing": {
			[]map[string]any{other, jwk(t, "key", key.Public(), map[string]any{"key_ops": []string{"sign"}})},
			"key",
			identity.ReasonUnknownKey,
		},
		"for another algorithm": {
			[]map[string]any{other, jwk(t, "key", key.Public(), map[string]any{"alg": "ES384"})},
			"key",
			identity.ReasonUnknownKey,
		},
		"for no algorithm": {
			[]map[string]any{other, jwk(t, "key", key.Public(), map[string]any{"alg": "none"})},
			"key",
			identity.ReasonUnknownKey,
		},
		"on another curve": {
			[]map[string]any{other, jwk(t, "key", key.Public(), map[string]any{"crv": "P-384"})},
			"key",
			identity.ReasonUnknownKey,
		},
		"on no curve": {
			[]map[string]any{other, jwk(t, "key", key.Public(), map[string]any{"x": off})},
			"key",
			identity.ReasonUnknownKey,
		},
		"the point at infinity": {
			[]map[string]any{other, jwk(t, "key", key.Public(), map[string]any{"x": off, "y": off})},
			"key",
			identity.ReasonUnknownKey,
		},
		"a weak RSA key": {[]map[string]any{other, weak}, "weak", identity.ReasonUnknownKey},
		"a symmetric key": {
			[]map[string]any{other, jwk(t, "key", []byte(secret), nil)}, "key", identity.ReasonUnknownKey,
		},
		"another's kid": {
			[]map[string]any{jwk(t, "key", ecKey(elliptic.P256()).Public(), nil)}, "key", identity.ReasonSignature,
		},
		"kid in other case":       {[]map[string]any{plain}, "KEY", identity.ReasonUnknownKey},
		"kid with more":           {[]map[string]any{plain}, "key\x00", identity.ReasonUnknownKey},
		"kid as a path":           {[]map[string]any{plain}, "../key", identity.ReasonUnknownKey},
		"kid as a URL":            {[]map[string]any{plain}, "https://evil.example/key", identity.ReasonUnknownKey},
		"kid as a long text":      {[]map[string]any{plain}, strings.Repeat("k", 8000), identity.ReasonUnknownKey},
		"no kid fits the token's": {[]map[string]any{other}, "", identity.ReasonSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := build(t, withJWT(c, identity.JWT{JWKSFile: file(t, jwks(test.set...))}))
			header := map[string]any{"kid": test.token}
			if test.token == "" {
				header = nil
			}
			r := withBearer(jwttest.SignWith(t, jwt.SigningMethodES256, key, who.claims(c.now(), nil), header))
			if test.want == "" {
				wantSomeone(t, a, r, who)
			} else {
				wantRefused(t, a, r, test.want)
			}
		})
	}
}

// weakRSA is a key of 1024 bits, which crypto/rsa does not generate.
func weakRSA() map[string]any {
	n := make([]byte, 128)
	_, _ = rand.Read(n)
	n[0], n[127] = n[0]|0x80, n[127]|1
	return map[string]any{"kty": "RSA", "kid": "weak", "n": base64.RawURLEncoding.EncodeToString(n), "e": "AQAB"}
}

func TestKeyFileRotates(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	first, firstKey := es256(t, c, who, "first")
	second, secondKey := es256(t, c, who, "second")
	path := file(t, jwks(firstKey))
	a := build(t, withJWT(c, identity.JWT{JWKSFile: path}))
	wantSomeone(t, a, withBearer(first), who)
	if err := os.WriteFile(path, []byte(jwks(firstKey, secondKey)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.advance(10 * time.Second)
	wantSomeone(t, a, withBearer(second), who)
	wantSomeone(t, a, withBearer(first), who)
}
