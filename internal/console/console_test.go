package console_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fanfarehq/fanfare/internal/console"
)

// built are the files of a build.
var built = fstest.MapFS{
	".keep":                   {},
	"index.html":              {Data: []byte("<!doctype html><title>Fanfare</title>")},
	"icon.svg":                {Data: []byte("<svg/>")},
	"assets/app-D3adB33f.js":  {Data: []byte("export {}")},
	"assets/app-D3adB33f.css": {Data: []byte(":root{}")},
}

func serve(t testing.TB, o console.Options, r *http.Request) *http.Response {
	t.Helper()
	handler, err := console.New(o)
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder.Result()
}

func get(t testing.TB, o console.Options, path string) (*http.Response, string) {
	t.Helper()
	response := serve(t, o, httptest.NewRequest(http.MethodGet, path, nil))
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	const forever, revalidated = "public, max-age=31536000, immutable", "no-cache"
	for path, want := range map[string]struct {
		status                 int
		mediaType, cache, body string
	}{
		"/console/":                              {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/console/index.html":                    {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/console/inbox":                         {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/console/activity/":                     {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/console/entities/doc/notes.txt":        {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/console/icon.svg":                      {200, "image/svg+xml", revalidated, "<svg/>"},
		"/console/assets/app-D3adB33f.js":        {200, "text/javascript; charset=utf-8", forever, "export {}"},
		"/console/assets/app-D3adB33f.css":       {200, "text/css; charset=utf-8", forever, ":root{}"},
		"/console/config.json":                   {200, "application/json", revalidated, `"version":"1.2.3"`},
		"/console/assets/app-0ldAsset.js":        {404, "text/plain; charset=utf-8", revalidated, "no such file"},
		"/console/assets/":                       {404, "text/plain; charset=utf-8", revalidated, "no such file"},
		"/console/assets/../../etc/passwd":       {404, "text/plain; charset=utf-8", revalidated, "no such file"},
		"/console/favicon.ico":                   {404, "text/plain; charset=utf-8", revalidated, "no such file"},
		"/console/.keep":                         {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/console/%00":                           {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/console/inbox?next=//evil.js":          {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/console/" + strings.Repeat("a/", 3000): {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
	} {
		response, body := get(t, console.Options{Files: built, Version: "1.2.3"}, path)
		h := response.Header
		if response.StatusCode != want.status || h.Get("Content-Type") != want.mediaType ||
			h.Get("Cache-Control") != want.cache || !strings.Contains(body, want.body) {
			t.Errorf("%.40s: got %d, %s, %s, %s; want %+v", path, response.StatusCode, h.Get("Content-Type"),
				h.Get("Cache-Control"), body, want)
		}
	}
}

// TestHeaders holds the headers of every answer, also of one without a file, to their exact texts.
func TestHeaders(t *testing.T) {
	t.Parallel()
	o := console.Options{
		Files: built, RealtimeURL: "wss://rt.example.com:8443/connection/websocket?x=1",
		Origins: []string{"https://app.example.com", "http://localhost:3000"},
	}
	for _, path := range []string{
		"/console/", "/console/inbox", "/console/config.json", "/console/assets/app-D3adB33f.js",
		"/console/assets/no.js",
	} {
		response, _ := get(t, o, path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
				"img-src 'self' data:; font-src 'self'; connect-src 'self' wss://rt.example.com:8443; " +
				"manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
				"frame-ancestors https://app.example.com http://localhost:3000; require-trusted-types-for 'script'",
			"Cross-Origin-Opener-Policy":   "unsafe-none",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy": "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), " +
				"gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), " +
				"usb=()",
			"Referrer-Policy":        "no-referrer",
			"X-Content-Type-Options": "nosniff",
			"Set-Cookie":             "",
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %s: got\n%q, want\n%q", path, name, got, want)
			}
		}
	}
}

// TestOpener separates the console from pages that open it, where no origin hands a JWT over.
func TestOpener(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/console/", "/console/inbox"} {
		response, _ := get(t, console.Options{Files: built}, path)
		if got := response.Header.Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
			t.Errorf("%s: got %q, want same-origin", path, got)
		}
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		realtime string
		origins  []string
		want     string // part of the policy; "" is an error
	}{
		"alone":                {"", nil, "connect-src 'self'; manifest-src 'self'"},
		"not framed":           {"", nil, "frame-ancestors 'none'; require-trusted-types-for 'script'"},
		"an IPv6 address":      {"ws://[::1]:8000/x", nil, "connect-src 'self' ws://[::1]:8000; "},
		"without a path":       {"ws://h", nil, "connect-src 'self' ws://h; "},
		"a directive":          {"ws://h;script-src", nil, ""},
		"a space":              {"ws://h 'unsafe-inline'", nil, ""},
		"a keyword":            {"", []string{"'unsafe-inline'"}, ""},
		"a wildcard":           {"", []string{"https://*.example.com"}, ""},
		"an origin with more":  {"", []string{"https://a.example; script-src *"}, ""},
		"an origin with paths": {"", []string{"https://a.example/"}, ""},
	} {
		got, err := console.Policy(c.realtime, c.origins)
		if (err == nil) != (c.want != "") || !strings.Contains(got, c.want) || strings.Contains(got, "unsafe") {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options console.Options
		want    string
	}{
		"nothing": {console.Options{Files: built}, `{"version":"","origins":[],"credentials":[]}`},
		"all": {
			console.Options{
				Files: built, Version: "1.2.3", Origins: []string{"https://app.example.com"},
				Credentials: []string{"jwt", "session"}, RealtimeURL: "wss://rt.example.com",
			},
			`{"version":"1.2.3","origins":["https://app.example.com"],"credentials":["jwt","session"]}`,
		},
	} {
		_, body := get(t, c.options, "/console/config.json")
		if body != c.want || !json.Valid([]byte(body)) {
			t.Errorf("%s: got %s, want %s", name, body, c.want)
		}
	}
}

// TestNotBuilt serves a binary that was built without the console.
func TestNotBuilt(t *testing.T) {
	t.Parallel()
	response, body := get(t, console.Options{Files: fstest.MapFS{".keep": {}}}, "/console/inbox")
	if response.StatusCode != http.StatusNotFound || !strings.Contains(body, "make console") ||
		!strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") ||
		!strings.Contains(response.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("got %d, %v, %s, want 404 and what to do", response.StatusCode, response.Header, body)
	}
}

// TestRevalidation gets a file again that the browser has already.
func TestRevalidation(t *testing.T) {
	t.Parallel()
	o := console.Options{Files: built}
	first, _ := get(t, o, "/console/")
	again := httptest.NewRequest(http.MethodGet, "/console/inbox", nil)
	again.Header.Set("If-None-Match", first.Header.Get("ETag"))
	if got := serve(t, o, again); got.StatusCode != http.StatusNotModified {
		t.Errorf("got %d, want 304", got.StatusCode)
	}
	changed := fstest.MapFS{"index.html": {Data: []byte("another")}}
	if got := serve(t, console.Options{Files: changed}, again); got.StatusCode != http.StatusOK {
		t.Errorf("after a change: got %d, want 200", got.StatusCode)
	}
	head := serve(t, o, httptest.NewRequest(http.MethodHead, "/console/", nil))
	if body, _ := io.ReadAll(head.Body); head.StatusCode != http.StatusOK || len(body) > 0 {
		t.Errorf("HEAD: got %d with %q, want 200 without a body", head.StatusCode, body)
	}
}
