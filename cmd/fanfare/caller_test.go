package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/jwttest"
)

// The key and the claims of the tests' JWTs.
const (
	jwtKey          = "the-key-of-the-JWTs-of-these-tests"
	jwtIssuerName   = "https://issuer.example"
	jwtAudienceName = "fanfare"
)

// caller sends requests with the same headers to one server, each on a new connection.
type caller struct {
	base   string
	header http.Header
}

// response is an HTTP answer.
type response struct {
	status int
	body   string
}

// read decodes JSON.
func (r response) read(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%v: status %d with %s", err, r.status, r.body)
	}
}

func (c caller) do(t testing.TB, method, path, body string) response {
	t.Helper()
	answer := c.send(t, method, path, body)
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{answer.StatusCode, string(content)}
}

// send returns the answer after its headers. The caller closes its body.
func (c caller) send(t testing.TB, method, path, body string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header = c.header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// with returns a caller with an additional header.
func (c caller) with(name, value string) caller {
	header := c.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set(name, value)
	return caller{c.base, header}
}

// bearing returns a caller with a bearer token.
func (c caller) bearing(token string) caller { return c.with("Authorization", "Bearer "+token) }

// person returns a caller with the JWT of a principal of the world's tenant.
func (c caller) person(t testing.TB, w world, principal uuid.UUID) caller {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": jwtIssuerName, "aud": jwtAudienceName, "exp": time.Now().Add(time.Hour).Unix(),
		"tenant_id": w.tenant.String(), "sub": principal.String(),
	}
	return c.bearing(jwttest.Sign(t, jwtKey, claims))
}

// api returns a caller of the daemon's API without a credential.
func (d *daemonUnderTest) api(t testing.TB) caller {
	t.Helper()
	return caller{base: "http://" + d.addressOf(t, "serving the API") + "/v1"}
}

// newToken returns a new service token with the scope activity:read.
func (w world) newToken(t testing.TB) string {
	t.Helper()
	return strings.TrimSpace(
		must(t, w.environ(), "token", "create", "--tenant", w.tenant.String(), "--principal", w.actor.String(),
			"--name", "tests", "--scope", "activity:read"),
	)
}
