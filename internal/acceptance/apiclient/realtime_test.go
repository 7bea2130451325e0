package apiclient

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/centrifugal/centrifuge-go"
)

// newRealtime returns a Realtime of an API that gives one answer, and the last request that it
// received.
func newRealtime(t *testing.T, status int, answer string) (r Realtime, requested *string) {
	t.Helper()
	requested = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*requested = r.Header.Get("Authorization") + " " + r.Method + " " + r.URL.Path + " " + string(body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	api := New(server.URL)
	t.Cleanup(func() { api.Close(); server.Close() })
	return Realtime{api, "abc"}, requested
}

func TestTokens(t *testing.T) {
	t.Parallel()
	const answer = `{"connection_token": "c", "subscription_tokens": {"resource:1": "s"}}`
	r, requested := newRealtime(t, http.StatusOK, answer)
	if got, err := r.ConnectionToken(); err != nil || got != "c" {
		t.Errorf("connection: got %q, %v, want c", got, err)
	}
	if want := `Bearer abc POST /v1/realtime/token {"channels":[]}`; *requested != want {
		t.Errorf("got %s, want %s", *requested, want)
	}
	if got, err := r.SubscriptionToken("resource:1"); err != nil || got != "s" {
		t.Errorf("subscription: got %q, %v, want s", got, err)
	}
	if want := `Bearer abc POST /v1/realtime/token {"channels":["resource:1"]}`; *requested != want {
		t.Errorf("got %s, want %s", *requested, want)
	}
}

// A client gives up if it is not permitted to subscribe, and retries if the API is unavailable.
func TestTokenErrors(t *testing.T) {
	t.Parallel()
	for status, final := range map[int]bool{
		http.StatusUnauthorized:       true,
		http.StatusForbidden:          true,
		http.StatusTooManyRequests:    false,
		http.StatusServiceUnavailable: false,
	} {
		r, _ := newRealtime(t, status, "{}")
		_, err := r.SubscriptionToken("resource:1")
		if err == nil || errors.Is(err, centrifuge.ErrUnauthorized) != final {
			t.Errorf("status %d: got %v, want an error that is final: %t", status, err, final)
		}
	}
}
