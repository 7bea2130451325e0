package stage

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"testing/fstest"

	"github.com/fanfarehq/fanfare/internal/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// request sends a request to the control endpoint and decodes the answer.
func request(t *testing.T, s *Stage, secret, operation string, body, answer any) int {
	t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(
		t.Context(), http.MethodPost, s.ControlURL+"/"+operation, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return response.StatusCode
}

// TestStage starts a stage with files of its own, creates a world with everything, and uses the
// control endpoint.
func TestStage(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), Options{
		Log: t.Output(), Dist: fstest.MapFS{"index.html": {Data: []byte("<title>The console</title>")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	var refused map[string]string
	if got := request(t, s, "wrong", "info", none{}, &refused); got != http.StatusUnauthorized || len(refused) != 1 {
		t.Errorf("a wrong secret: got %d %v, want 401 and nothing else", got, refused)
	}
	var w World
	if got := request(t, s, s.Secret, "world", Rich(300), &w); got != http.StatusOK {
		t.Fatalf("world: got %d", got)
	}
	t.Logf("a world of %d activities took %s", w.Recorded, w.Took)
	counts := map[string]int{}
	for _, table := range []string{"activities", "notifications", "dead_letters", "parked", "fan_out_jobs", "outbox"} {
		var n int
		sql := `SELECT count(*) FROM fanfare.` + table + ` WHERE tenant_id = $1`
		if err := s.pool.QueryRow(t.Context(), sql, w.TenantID).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	if counts["activities"] != w.Recorded || counts["notifications"] < 100 || counts["dead_letters"] != 12 ||
		counts["parked"] != 3 || counts["fan_out_jobs"] != 1 || counts["outbox"] != 0 {
		t.Errorf("got %v of %d recorded activities, want their notifications and every trouble", counts, w.Recorded)
	}
	if err := s.Release(t.Context(), w.TenantID); err != nil {
		t.Fatal(err)
	}
	if err := s.AwaitSettled(t.Context(), w.TenantID); err != nil {
		t.Fatal(err)
	}
	testSignIn(t, s, &w)
}

// testSignIn exchanges a code for a session, and asks the API who the caller is.
func testSignIn(t *testing.T, s *Stage, w *World) {
	t.Helper()
	code, err := s.Code(t.Context(), w.Principal("grace"), 0)
	if err != nil {
		t.Fatal(err)
	}
	do := func(method, path, body string, cookies []*http.Cookie) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Close = true
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", s.URL)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(content)
	}
	response, body := do(http.MethodPost, "/v1/session", `{"code":"`+code+`"}`, nil)
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("POST /v1/session: got %s %s", response.Status, body)
	}
	if _, body = do(http.MethodGet, "/v1/me", "", response.Cookies()); !bytes.Contains([]byte(body), []byte("Grace")) {
		t.Errorf("GET /v1/me: got %s, want Grace", body)
	}
	if _, body = do(http.MethodGet, "/console/inbox", "", nil); body != "<title>The console</title>" {
		t.Errorf("GET /console/inbox: got %q, want the given file", body)
	}
	if _, body = do(http.MethodGet, "/console/config.json", "", nil); !bytes.Contains([]byte(body), []byte("stage")) {
		t.Errorf("GET /console/config.json: got %s, want the daemon's version", body)
	}
}
