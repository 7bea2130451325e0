package demo

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/centrifugal/centrifuge-go"
)

// newPasses returns passes that an API gives out, which answers one request with the status, and
// what that request was.
func newPasses(t *testing.T, status int, answer string) (given passes, asked *string) {
	t.Helper()
	asked = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = r.Header.Get("Authorization") + " " + r.Method + " " + r.URL.Path + " " + string(body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	api := newClient(server.URL)
	t.Cleanup(func() { api.close(); server.Close() })
	return passes{api, "abc"}, asked
}

func TestPassesAreRefreshed(t *testing.T) {
	t.Parallel()
	given, asked := newPasses(t, http.StatusOK, `{"connection_token": "c", "subscription_tokens": {"resource:1": "s"}}`)
	if got, err := given.connection(centrifuge.ConnectionTokenEvent{}); err != nil || got != "c" {
		t.Errorf("connection: got %q, %v, want c", got, err)
	}
	if want := `Bearer abc POST /v1/realtime/token {"channels":[]}`; *asked != want {
		t.Errorf("got %s, want %s", *asked, want)
	}
	if got, err := given.subscription(centrifuge.SubscriptionTokenEvent{Channel: "resource:1"}); err != nil ||
		got != "s" {
		t.Errorf("subscription: got %q, %v, want s", got, err)
	}
	if want := `Bearer abc POST /v1/realtime/token {"channels":["resource:1"]}`; *asked != want {
		t.Errorf("got %s, want %s", *asked, want)
	}
}

// A client gives up when it may not hear a channel, and tries again when the API is only away.
func TestPassesThatAreRefused(t *testing.T) {
	t.Parallel()
	for status, final := range map[int]bool{
		http.StatusUnauthorized: true, http.StatusForbidden: true, http.StatusTooManyRequests: false, http.StatusServiceUnavailable: false,
	} {
		given, _ := newPasses(t, status, "{}")
		_, err := given.subscription(centrifuge.SubscriptionTokenEvent{Channel: "resource:1"})
		if err == nil || errors.Is(err, centrifuge.ErrUnauthorized) != final {
			t.Errorf("status %d: got %v, want an error that is final: %t", status, err, final)
		}
	}
}
