package api_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// me is the answer of GET /me.
type me struct {
	TenantID    uuid.UUID `json:"tenant_id"`
	PrincipalID uuid.UUID `json:"principal_id"`
	Kind        string
	DisplayName string `json:"display_name"`
	Scopes      []string
	Credential  string
	ExpiresAt   *time.Time `json:"expires_at"`
	RealtimeURL string     `json:"realtime_url"`
}

// signIn returns a client with the cookie of a session, as a browser has it.
func (at *tenant) signIn(principal uuid.UUID, scopes ...string) client {
	at.w.t.Helper()
	c := at.w.anyone()
	answer := c.do("POST", "/v1/session", fmt.Sprintf(`{"code":%q}`, at.code(principal, scopes...))).
		want(http.StatusNoContent)
	cookie, _, _ := strings.Cut(answer.header.Get("Set-Cookie"), ";")
	return c.withHeader("Cookie", cookie).withHeader("Sec-Fetch-Site", "same-origin")
}

func TestMe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *api.Options) { o.RealtimeURL = "wss://rt.example.com/connection/websocket" })
	at := w.here
	name := "display name of " + at.id.String()
	for what, c := range map[string]struct {
		client client
		want   me
	}{
		"a gateway":          {at.as(at.member, "activity:admin"), me{PrincipalID: at.member, Credential: "gateway"}},
		"a session":          {at.signIn(at.owner, "activity:read"), me{PrincipalID: at.owner, Credential: "session"}},
		"an unknown one":     {at.as(uuid.Nil), me{Credential: "gateway"}},
		"without any scopes": {at.signIn(at.outsider), me{PrincipalID: at.outsider, Credential: "session"}},
	} {
		known := c.want.PrincipalID != uuid.Nil
		if !known {
			c.want.PrincipalID = uuid.New()
			c.client = c.client.withHeader("X-Principal-Id", c.want.PrincipalID.String())
		}
		got := as[me](c.client.do("GET", "/v1/me", "").want(http.StatusOK))
		if got.PrincipalID != c.want.PrincipalID || got.TenantID != at.id || got.Credential != c.want.Credential ||
			got.RealtimeURL != "wss://rt.example.com/connection/websocket" || known != (got.DisplayName == name) ||
			(got.ExpiresAt == nil) != (c.want.Credential == "gateway") || got.Scopes == nil {
			t.Errorf("%s: got %+v, want %+v", what, got, c.want)
		}
	}
}

// TestSignIn signs in, out and in again with the cookies of a browser, over HTTP.
func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	front := httptest.NewServer(w.server.Handler())
	t.Cleanup(front.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Transport: front.Client().Transport}
	send := func(method, path, body string, status int) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, front.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", front.URL)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		answer, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != status {
			t.Fatalf("%s %s: got %s, want %d", method, path, answer.Status, status)
		}
		return answer
	}
	send("GET", "/v1/me", "", http.StatusUnauthorized)
	send("DELETE", "/v1/session", "", http.StatusNoContent)
	first := fmt.Sprintf(`{"code":%q}`, w.here.code(w.here.member))
	answer := send("POST", "/v1/session", first, http.StatusNoContent)
	cookie := answer.Cookies()[0]
	if len(answer.Cookies()) != 1 || cookie.Name != "fanfare_session" || !cookie.HttpOnly || cookie.Path != "/" ||
		cookie.Domain != "" || cookie.SameSite != http.SameSiteStrictMode || cookie.MaxAge != 12*60*60 {
		t.Errorf("got the cookie %+v", cookie)
	}
	if got := answer.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: got %s, want no-store", got)
	}
	send("GET", "/v1/notifications", "", http.StatusOK)
	send("PUT", "/v1/notifications/preferences", "{}", http.StatusOK)
	send("GET", "/v1/audit", "", http.StatusForbidden)
	send("POST", "/v1/session", first, http.StatusUnauthorized)
	send("GET", "/v1/me", "", http.StatusOK) // the refused code ends nothing

	// A new session replaces and ends the one before.
	send("POST", "/v1/session", fmt.Sprintf(`{"code":%q}`, w.here.code(w.here.owner, identity.ScopeRead)), 204)
	send("GET", "/v1/audit", "", http.StatusOK)
	stolen := w.anyone().withHeader("Cookie", "fanfare_session="+cookie.Value)
	if got := stolen.do("GET", "/v1/me", "").want(401); !strings.Contains(string(got.body), "revoked") {
		t.Errorf("the session before: got %s, want it revoked", got.body)
	}
	send("DELETE", "/v1/session", "", http.StatusNoContent)
	send("GET", "/v1/me", "", http.StatusUnauthorized)
	if n := w.count(`
		SELECT count(*) FROM fanfare.service_tokens WHERE purpose = 'session' AND revoked_at IS NULL`); n != 0 {
		t.Errorf("got %d sessions that go on, want none", n)
	}
}

// TestCodesOfOthers signs in with codes of another tenant, of an inactive principal, and of one
// that becomes inactive.
func TestCodesOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	got := as[me](w.elsewhere.signIn(w.elsewhere.member).withHeader("X-Tenant-Id", "").do("GET", "/v1/me", ""))
	if got.TenantID != w.elsewhere.id {
		t.Errorf("got the tenant %s, want that of the code", got.TenantID)
	}
	code := fmt.Sprintf(`{"code":%q}`, w.here.code(w.here.inactive(), identity.ScopeAdmin))
	if kind := problemType(w.anyone().do("POST", "/v1/session", code).want(http.StatusForbidden)); kind !=
		string(api.Inactive) {
		t.Errorf("got %s, want %s", kind, api.Inactive)
	}
	w.anyone().do("POST", "/v1/session", code).want(http.StatusUnauthorized)
	c := w.here.signIn(w.here.member)
	c.do("GET", "/v1/notifications", "").want(http.StatusOK)
	w.exec(`UPDATE fanfare.principals SET active = false WHERE id = $1`, w.here.member)
	c.do("GET", "/v1/notifications", "").want(http.StatusForbidden)
	c.do("DELETE", "/v1/session", "").want(http.StatusNoContent)
}

// TestHostileSignIn sends what a browser sends for pages of others, and bodies that are none.
func TestHostileSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *api.Options) { o.Origins = []string{"https://app.example.com"} })
	code := fmt.Sprintf(`{"code":%q}`, w.here.code(w.here.member))
	for name, c := range map[string]client{
		"another site":      w.anyone().withHeader("Sec-Fetch-Site", "cross-site"),
		"an allowed origin": w.anyone().withHeader("Origin", "https://app.example.com"),
		"both": w.anyone().withHeader("Sec-Fetch-Site", "same-site").
			withHeader("Origin", "https://app.example.com"),
		"a form": w.anyone().withHeader("Sec-Fetch-Site", "none"),
	} {
		if got := c.do("POST", "/v1/session", code).want(http.StatusForbidden); got.header.Get("Set-Cookie") != "" ||
			problemType(got) != string(api.CrossSite) {
			t.Errorf("%s: got %s with %v, want no cookie", name, got.body, got.header)
		}
	}
	for body, status := range map[string]int{
		`{}`: 422, `{"code":""}`: 422, `{"code":null}`: 422, `{"code":1}`: 422, `{"code":["a"]}`: 422,
		`{"code":"a","tenant_id":"b"}`: 422, `{"code":"a","code":"b"}`: 422, `[]`: 422, `"a"`: 422, `{`: 400, ``: 400,
		`{"code":"` + strings.Repeat("A", 101) + `"}`: 422, `{"code":"` + strings.Repeat("A", 26) + `"}`: 401,
		`{"code":"a\u0000"}`: 422, `{"code":"%00"}`: 401,
	} {
		got := w.anyone().do("POST", "/v1/session", body)
		if got.status != status || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: got %d with %v: %s; want %d", body, got.status, got.header["Set-Cookie"], got.body, status)
		}
	}
	w.anyone().do("GET", "/v1/session", "").want(http.StatusMethodNotAllowed)
	w.anyone().do("POST", "/v1/session?code=x", code).want(http.StatusUnprocessableEntity)
	w.anyone().withHeader("Content-Type", "text/plain").do("POST", "/v1/session", code).
		want(http.StatusUnsupportedMediaType)
	w.anyone().do("POST", "/v1/session", code).want(http.StatusNoContent) // nothing above has used it
}

// TestSessionsAreSameOrigin requests every route with the cookie of a session, as browsers do for
// pages of others, and checks that they neither read nor change anything.
func TestSessionsAreSameOrigin(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t, func(o *api.Options, _ string) { o.Origins = []string{"https://app.example.com"} })
	c := w.here.signIn(w.here.member, identity.ScopeAdmin, identity.ScopeWrite, identity.ScopeInstallation)
	without := func(name string) client {
		c := c.withHeader(name, "")
		delete(c.header, name)
		return c
	}
	others := map[string]client{
		"another site":      c.withHeader("Sec-Fetch-Site", "cross-site"),
		"another subdomain": c.withHeader("Sec-Fetch-Site", "same-site"),
		"an allowed origin": without("Sec-Fetch-Site").withHeader("Origin", "https://app.example.com"),
		"another origin":    without("Sec-Fetch-Site").withHeader("Origin", "http://localhost:9999"),
	}
	for _, op := range operations(w.server.Document()) {
		i := slices.IndexFunc(accesses(), func(r access) bool { return r.operation == op.OperationID })
		if i < 0 || isPublic(op) {
			continue
		}
		r, body := accesses()[i], ""
		if r.body != nil {
			body = r.body(w.here)
		}
		for name, other := range others {
			got := other.do(op.method, "/v1"+r.target(w.here), body).want(http.StatusForbidden)
			if problemType(got) != string(api.CrossSite) || got.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s, %s: got %s with %v, want %s",
					op.method, op.path, name, got.body, got.header, api.CrossSite)
			}
		}
		if op.method != http.MethodGet {
			without("Sec-Fetch-Site").do(op.method, "/v1"+r.target(w.here), body).want(http.StatusForbidden)
		}
	}
	for name, other := range others {
		got := other.do("DELETE", "/v1/session", "").want(http.StatusForbidden)
		if got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: the page signed the user out", name)
		}
	}
	c.do("GET", "/v1/me", "").want(http.StatusOK)
	without("Sec-Fetch-Site").withHeader("Origin", "http://localhost:8080").
		do("PUT", "/v1/notifications/preferences", "{}").want(http.StatusOK)
}

// TestSignInRate tries codes until the peer is slowed down.
func TestSignInRate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	w := newWorld(t, func(o *api.Options) { o.Now = func() time.Time { return now } })
	const body = `{"code":"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}`
	for range 50 {
		w.anyone().do("POST", "/v1/session", body).want(http.StatusUnauthorized)
	}
	got := w.anyone().do("POST", "/v1/session", body).want(http.StatusTooManyRequests)
	if got.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: got %q, want 1", got.header.Get("Retry-After"))
	}
	w.here.as(w.here.member).do("GET", "/v1/me", "").want(http.StatusOK) // callers are not slowed down
	now = now.Add(time.Second)
	w.anyone().do("POST", "/v1/session", body).want(http.StatusUnauthorized)
}

// TestStreamsEndWithTheirSession follows a stream with a session until the person signs out.
func TestStreamsEndWithTheirSession(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t, func(o *api.Options, _ string) { o.Limits.Heartbeat = 50 * time.Millisecond })
	front := httptest.NewServer(w.server.Handler())
	t.Cleanup(front.Close)
	c := w.here.signIn(w.here.member, identity.ScopeRead)
	s := followStreamWith(t, front.URL, c.header)
	if s.next("id: ") == "" {
		t.Error("got no position")
	}
	c.do("DELETE", "/v1/session", "").want(http.StatusNoContent)
	if got := s.next("data: "); !strings.Contains(got, "revoked: ") {
		t.Errorf("got %q at the end, want revoked", got)
	}
}
