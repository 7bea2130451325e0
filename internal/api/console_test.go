package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/console"
)

// TestConsole requests the console, and what leads there, through the middlewares of the API.
func TestConsole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	pages, err := console.New(console.Options{Files: fstest.MapFS{
		"index.html":       {Data: []byte("<title>Fanfare</title>")},
		"assets/app-1a.js": {Data: []byte("export const text = '" + strings.Repeat("long ", 1000) + "'")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	reference, err := console.NewReference(fstest.MapFS{"index.html": {Data: []byte("<title>Reference</title>")}})
	if err != nil {
		t.Fatal(err)
	}
	with := w.newServer(func(o *api.Options) { o.Console, o.Reference = pages, reference }).Handler()
	get := func(handler http.Handler, path string, headers ...string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		return recorder.Result()
	}
	for _, path := range []string{"/", "/console"} {
		if got := get(with, path); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/console/" {
			t.Errorf("%s: got %d to %q, want 303 to /console/", path, got.StatusCode, got.Header.Get("Location"))
		}
	}
	for path, want := range map[string]int{
		"/console/": 200, "/console/inbox": 200, "/console/inbox/": 200, "/console/config.json": 200,
		"/console/assets/app-1a.js": 200, "/console/assets/app-2b.js": 404, "/console//": 404,
		"/console//evil.example": 404, "/console/../v1/me": 404, "/console/./": 404, "/console/a//b": 404,
		"/consolex":  404,
		"//console/": 404,
		"/v1/docs":   200, "/v1/docs/": 404, "/v1/me": 401, "/x": 404,
	} {
		got := get(with, path)
		if got.StatusCode != want || got.Header.Get("Location") != "" || got.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: got %d with %v, want %d", path, got.StatusCode, got.Header, want)
		}
	}
	policy := get(with, "/console/inbox").Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "require-trusted-types-for 'script'") {
		t.Errorf("Content-Security-Policy: got %q, want that of the console", policy)
	}
	script := get(with, "/console/assets/app-1a.js", "Accept-Encoding", "gzip")
	if script.Header.Get("Content-Encoding") != "gzip" ||
		!strings.Contains(script.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("a script: got %v, want it compressed and immutable", script.Header)
	}
	// Without the console, nothing leads there.
	for _, path := range []string{"/", "/console", "/console/", "/console/config.json"} {
		w.anyone().do("GET", path, "").want(http.StatusNotFound)
	}
	post := httptest.NewRequest(http.MethodPost, "/console/inbox", strings.NewReader("a=b"))
	recorder := httptest.NewRecorder()
	with.ServeHTTP(recorder, post)
	if recorder.Code != http.StatusMethodNotAllowed || recorder.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("POST: got %d with %v, want 405", recorder.Code, recorder.Header())
	}
}
