package centrifugo_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

// TestPublishHalvesSlowRequests has a server that answers large requests too late. Requests are
// halved until they are answered, what is answered counts, and they grow again once the server is
// quick.
func TestPublishHalvesSlowRequests(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		const quick = 10 // publications that the server answers in time
		var slow atomic.Bool
		slow.Store(true)
		p := &proxy{answer: func(_ http.ResponseWriter, r *http.Request, p pipe) bool {
			if !slow.Load() || len(p.channels()) <= quick {
				return false
			}
			<-r.Context().Done()
			return true
		}}
		client := w.connect(t, centrifugo.Options{
			APIURL: p.start(t, w), Timeout: 500 * time.Millisecond, MaxInFlight: 1,
		})
		publish := func() (open []centrifugo.Broadcast, last *centrifugo.Error) {
			all := make([]centrifugo.Broadcast, 0, 100)
			for range 98 {
				all = append(all, broadcastTo(name("user")))
			}
			all = append(all, broadcastTo(names("resource", 40)...), broadcastTo(name("user")))
			for i, result := range client.Publish(t.Context(), all) {
				if result.Err != nil {
					last = wantClass(t, result, centrifugo.Unavailable)
					open = append(open, all[i])
				}
			}
			return open, last
		}
		open, err := publish()
		if len(open) != 100 || !err.Slow || !strings.Contains(err.Error(), "is slow") {
			t.Fatalf("got %d open and %v, want 100 and an error that the server is slow", len(open), err)
		}
		for attempt := 0; len(open) > 0; attempt++ {
			if attempt == 50 {
				t.Fatalf("got %d open after %d attempts", len(open), attempt)
			}
			open, _ = publish()
		}
		slow.Store(false)
		for attempt := 0; ; attempt++ {
			if attempt == 50 {
				t.Fatal("the requests do not grow again")
			}
			if open, err = publish(); len(open) > 0 {
				t.Fatalf("got %d open with %v, want none", len(open), err)
			}
			if seen := p.seen(); len(seen[len(seen)-1]) == 100 {
				return
			}
		}
	})
}

// TestPublishFailsOver has several addresses, of which only the last one is Centrifugo's.
func TestPublishFailsOver(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(failing.Close)
	for title, first := range map[string]string{
		"refused": "http://" + refused + "/api",
		"silent":  "http://" + silent(t) + "/api",
		"failing": failing.URL + "/api",
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			client := connect(t, centrifugo.Options{
				APIURL: first + ", " + server.APIURL(), Timeout: 2 * time.Second,
			})
			wantAccepted(t, client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(name("user"))}))
			if err := client.Ping(t.Context()); err != nil {
				t.Errorf("after the failover: got %v, want the address that works", err)
			}
			fresh := connect(t, centrifugo.Options{APIURL: first + "," + server.APIURL(), Timeout: 2 * time.Second})
			if got := fresh.Check(t.Context(), "user"); len(got) != 0 {
				t.Errorf("Check: got %v, want none", got)
			}
		})
	}
	t.Run("none works", func(t *testing.T) {
		t.Parallel()
		client := connect(t, centrifugo.Options{
			APIURL: "http://" + refused + "/api,http://" + nettest.Refused(t) + "/api",
		})
		wantClass(t, client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(name("user"))})[0],
			centrifugo.Unavailable)
		if got := client.Check(t.Context(), "user"); len(got) != 2 {
			t.Errorf("Check: got %v, want a diagnostic for each address", got)
		}
	})
	if _, err := centrifugo.New(centrifugo.Options{APIURL: "http://a/api,b"}); err == nil {
		t.Error("a list with an invalid URL: got no error, want one")
	}
}
