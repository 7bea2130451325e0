package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fanfarehq/fanfare/internal/waittest"
)

var (
	applicationPattern = regexp.MustCompile(`Examples +(http://127\.0\.0\.1:\d+)/`)
	apiPattern         = regexp.MustCompile(`API reference +(http://127\.0\.0\.1:\d+)/v1/docs`)
)

// TestApplication uses the example application as its pages do: it gets a token, reads Grace's
// inbox from the other origin, and comments as Ada.
func TestApplication(t *testing.T) {
	t.Parallel()
	s := startWith(t, Options{Examples: fstest.MapFS{
		"index.html":      {Data: []byte("<title>Examples</title>")},
		"html/index.html": {Data: []byte("<title>HTML</title>")},
	}})
	guide := <-s.printed
	app, api := match(t, applicationPattern, guide), match(t, apiPattern, guide)

	page := request(t, "GET", app+"/html/", "", nil, http.StatusOK)
	policy := page.header.Get("Content-Security-Policy")
	connections := "connect-src 'self' " + api + " ws://127.0.0.1:"
	if !strings.Contains(page.body, "HTML") || !strings.Contains(policy, connections) ||
		strings.Contains(policy, "unsafe") {
		t.Errorf("the page: got %s with the policy %s", page.body, policy)
	}
	for name, header := range map[string]http.Header{
		"another site":   {"Sec-Fetch-Site": {"cross-site"}},
		"another port":   {"Sec-Fetch-Site": {"same-site"}},
		"another origin": {"Origin": {api}},
	} {
		for _, path := range []string{"/token", "/comments"} {
			got := request(t, "POST", app+path, "{}", header, http.StatusForbidden)
			if strings.Contains(got.body, "token") {
				t.Errorf("%s of %s: got %s", path, name, got.body)
			}
		}
	}
	request(t, "POST", app+"/token", "", http.Header{"Host": {"rebound.example"}}, http.StatusMisdirectedRequest)

	own := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {app}}
	var token struct {
		Token     string
		ExpiresIn float64 `json:"expires_in"`
	}
	answer := request(t, "POST", app+"/token", "", own, http.StatusOK)
	if err := json.Unmarshal([]byte(answer.body), &token); err != nil || token.ExpiresIn != jwtLifetime.Seconds() ||
		answer.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the token: got %s, %v, %v", answer.body, err, answer.header)
	}
	request(t, "POST", app+"/comments", `{"text":""}`, own, http.StatusBadRequest)
	request(t, "POST", app+"/comments", `{"text":"Lift-off <b>moved</b> to May"}`, own, http.StatusNoContent)
	cross := http.Header{"Origin": {app}, "Authorization": {"Bearer " + token.Token}}
	waittest.Until(t, "Grace is notified of Ada's comment", func() bool {
		inbox := request(t, "GET", api+"/v1/notifications", "", cross, http.StatusOK)
		if got := inbox.header.Get("Access-Control-Allow-Origin"); got != app {
			t.Fatalf("Access-Control-Allow-Origin: got %q, want %s", got, app)
		}
		return strings.Contains(inbox.body, "Lift-off <b>moved</b> to May")
	})
	s.stop(t)
	if response, err := http.Get(app); err == nil {
		_ = response.Body.Close()
		t.Errorf("after the end: got %s, want no server", response.Status)
	}
}

func match(t *testing.T, pattern *regexp.Regexp, text string) string {
	t.Helper()
	found := pattern.FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("got no %s in\n%s", pattern, text)
	}
	return found[1]
}

// answered is an answer whose body is read.
type answered struct {
	header http.Header
	body   string
}

func request(t *testing.T, method, url, body string, header http.Header, status int) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	response := send(t, r, status)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(fmt.Errorf("%s %s: %w", method, url, err))
	}
	return answered{response.Header, string(content)}
}
