package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestServeCredentials(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	token := w.newToken(t)
	headers := func(c caller) caller {
		return c.with("X-Tenant-Id", w.tenant.String()).with("X-Principal-Id", w.owner.String())
	}
	credentials := map[string]func(c caller) caller{
		"nothing": func(c caller) caller { return c },
		"jwt":     func(c caller) caller { return c.person(t, w, w.owner) },
		"token":   func(c caller) caller { return c.bearing(token) },
		"headers": headers,
	}
	for name, c := range map[string]struct {
		args    []string
		accepts string // the accepted credentials
	}{
		"by default":   {nil, "jwt token"},
		"with headers": {[]string{"--trust-identity-headers"}, "jwt token headers"},
		"with a gateway": {
			[]string{"--trust-identity-headers", "--trusted-proxies=10.1.2.3,127.0.0.1"}, "jwt token headers",
		},
		"with one elsewhere":  {[]string{"--trust-identity-headers", "--trusted-proxies=10.1.2.0/24"}, "jwt token"},
		"without any tokens":  {[]string{"--service-tokens=false"}, "jwt"},
		"for another service": {[]string{"--jwt-audience=other"}, "token"},
		"with other claims":   {[]string{"--jwt-tenant-claim=aud"}, "token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, environment(db, centrifugo), append([]string{"serve"}, c.args...)...)
			api := d.api(t)
			for credential, use := range credentials {
				want := http.StatusUnauthorized
				if strings.Contains(c.accepts, credential) {
					want = http.StatusOK
				}
				if got := use(api).do(t, http.MethodGet, "/notifications/unread-count", ""); got.status != want {
					t.Errorf("%s: got status %d with %s, want %d", credential, got.status, got.body, want)
				}
			}
			if code := d.finish(t); code != exitOK {
				t.Errorf("got exit code %d, want 0\n%s", code, d.log)
			}
			if log := d.log.String(); strings.Contains(log, token) {
				t.Errorf("the log shows a token:\n%s", log)
			}
		})
	}
}

// TestServeWithoutCentrifugo starts while Centrifugo is unavailable: most of the API works, and
// streams work after it is available.
func TestServeWithoutCentrifugo(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	if err := centrifugo.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, db)
	token := w.newToken(t)
	d := startDaemon(t, environment(db, centrifugo), "serve")
	d.says(t, `"level":"error"`, "Centrifugo at", "is unreachable")
	d.isReady(t, true)
	var ready readiness
	d.get(t, "/readyz").read(t, &ready)
	if len(ready.Degraded["centrifugo"]) == 0 || len(ready.Failing) > 0 {
		t.Errorf("/readyz: got %+v, want Centrifugo as degraded", ready)
	}
	owner := d.api(t).person(t, w, w.owner)
	for method, path := range map[string]string{"GET": "/notifications", "PUT": "/notifications/preferences"} {
		if got := owner.do(t, method, path,
			map[string]string{"PUT": `{"muted":true}`}[method]); got.status != http.StatusOK {
			t.Errorf("%s %s: got status %d with %s, want 200", method, path, got.status, got.body)
		}
	}

	if err := centrifugo.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	stream := d.api(t).bearing(token).follow(t, "")
	want := w.publisher(t, centrifugo)()
	if got := stream.activity(t, d); got != want {
		t.Errorf("on the stream: got %s, want %s", got, want)
	}
}

func TestListenAddressInUse(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	d := startDaemon(t, environment(db, centrifugo), "serve")
	second := fanfare(t, environment(db, centrifugo), "run", "--listen", d.addressOf(t, "serving the API"))
	if second.code != exitFailure || !strings.Contains(second.stderr, "--listen: ") ||
		!strings.Contains(second.stderr, "in use") {
		t.Errorf("got exit code %d and %q, want 1 and the setting", second.code, second.stderr)
	}
}

// TestCORS sends requests with an allowed and another origin.
func TestCORS(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	d := startDaemon(t, environment(db, centrifugo), "serve", "--cors-origins", "https://app.example.com")
	for origin, want := range map[string]string{
		"https://app.example.com": "https://app.example.com", "https://evil.example": "",
	} {
		answer := d.api(t).with("Origin", origin).send(t, http.MethodGet, "/openapi.json", "")
		_ = answer.Body.Close()
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: got %q allowed, want %q", origin, got, want)
		}
	}
}

// TestRequestLimits checks the settings of rates and of the size of a body.
func TestRequestLimits(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	d := startDaemon(t, environment(db, centrifugo), "serve", "--rate-limit=1", "--rate-burst=2",
		"--max-body-bytes=1024")
	owner, other := d.api(t).person(t, w, w.owner), d.api(t).person(t, w, w.actor)
	if got := other.do(t, http.MethodPut, "/notifications/preferences",
		`{"filter_mode":"`+strings.Repeat("x", 1024)+`"}`); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: got status %d with %s, want 413", got.status, got.body)
	}
	statuses := map[int]int{}
	for range 10 {
		statuses[owner.do(t, http.MethodGet, "/notifications", "").status]++
	}
	if statuses[http.StatusOK] < 2 || statuses[http.StatusTooManyRequests] == 0 {
		t.Errorf("10 requests at once: got statuses %v, want some 200 and then 429", statuses)
	}
}
