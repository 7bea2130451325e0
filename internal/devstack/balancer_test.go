package devstack

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestBalancerTakesAServerOut verifies that both servers are used, and after one has failed only
// the other.
func TestBalancerTakesAServerOut(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b"}
	servers := make([]*httptest.Server, len(names))
	backends := make([]Backend, len(names))
	for i, name := range names {
		servers[i] = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, name)
		}))
		t.Cleanup(servers[i].Close)
		backends[i] = Backend{Address: strings.TrimPrefix(servers[i].URL, "http://"), HealthURL: servers[i].URL + "/"}
	}
	b, err := StartBalancer(t.Context(), true, backends...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	answered := func(n int) map[string]int {
		counts := map[string]int{}
		for range n {
			counts[answer(t, "http://"+b.Address())]++
		}
		return counts
	}
	if got := answered(10); got["a"] == 0 || got["b"] == 0 || len(got) != 2 {
		t.Errorf("got the answers %v, want some of both servers", got)
	}
	servers[0].Close()
	waittest.Until(t, "the second server alone answers", func() bool { return answered(10)["b"] == 10 })
}

// answer requests a URL with a connection of its own, and returns the body; of an error of the
// balancer, its status.
func answer(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		return response.Status
	}
	return string(body)
}
