package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fanfarehq/fanfare/internal/console"
)

func TestReference(t *testing.T) {
	t.Parallel()
	const forever, revalidated = "public, max-age=31536000, immutable", "no-cache"
	for path, want := range map[string]struct {
		status                 int
		mediaType, cache, body string
	}{
		"/v1/docs":                        {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/v1/docs/index.html":             {200, "text/html; charset=utf-8", revalidated, "<title>Fanfare"},
		"/v1/docs/assets/app-D3adB33f.js": {200, "text/javascript; charset=utf-8", forever, "export {}"},
		"/v1/docs/assets/no.js":           {404, "text/plain; charset=utf-8", revalidated, "no such file"},
		"/v1/docs/inbox":                  {404, "text/plain; charset=utf-8", revalidated, "no such file"},
	} {
		response := reference(t, built, path)
		h, body := response.Header(), response.Body.String()
		if response.Code != want.status || h.Get("Content-Type") != want.mediaType ||
			h.Get("Cache-Control") != want.cache || !strings.Contains(body, want.body) {
			t.Errorf("%s: got %d, %v, %s; want %+v", path, response.Code, h, body, want)
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "connect-src 'self'; ") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			!strings.Contains(policy, "require-trusted-types-for 'script'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: got the policy %s", path, policy)
		}
	}
}

// TestReferenceNotBuilt serves a binary that was built without the reference.
func TestReferenceNotBuilt(t *testing.T) {
	t.Parallel()
	response := reference(t, fstest.MapFS{}, "/v1/docs")
	if response.Code != http.StatusNotFound || !strings.Contains(response.Body.String(), "make console") {
		t.Errorf("got %d, %s, want 404 and what to do", response.Code, response.Body)
	}
}

func reference(t *testing.T, files fstest.MapFS, path string) *httptest.ResponseRecorder {
	t.Helper()
	handler, err := console.NewReference(files)
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder
}
