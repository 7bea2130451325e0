package centrifugo_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// What a server or a proxy responds that is not a BatchResponse makes no message undeliverable.
func TestPublishByGRPCUnavailable(t *testing.T) {
	t.Parallel()
	for title, test := range map[string]struct {
		respond func(w http.ResponseWriter)
		reason  string
	}{
		"no API key": {
			func(w http.ResponseWriter) { writeStatus(w, 16, "unauthenticated") },
			"rejects the API key (gRPC status 16 UNAUTHENTICATED)",
		},
		"another service": {
			func(w http.ResponseWriter) { writeStatus(w, 12, "unknown service") },
			"is not Centrifugo's gRPC API (gRPC status 12 UNIMPLEMENTED)",
		},
		"restarting": {func(w http.ResponseWriter) { writeStatus(w, 14, "") }, "is failing (gRPC status 14"},
		"failed after a message": {
			func(w http.ResponseWriter) { writeMessage(w, nil, 13) }, "is failing (gRPC status 13",
		},
		"no replies": {func(w http.ResponseWriter) { writeMessage(w, nil, 0) }, "truncated or not Centrifugo's"},
		"too few responses": {
			func(w http.ResponseWriter) { writeGRPC(w, [][]int{{}, {}}) }, "truncated or not Centrifugo's",
		},
		"a text": {
			func(w http.ResponseWriter) { writeMessage(w, []byte("<html>"), 0) }, "truncated or not Centrifugo's",
		},
		"no message": {func(w http.ResponseWriter) { writeStatus(w, 0, "") }, "truncated or not Centrifugo's"},
		"no status": {
			func(w http.ResponseWriter) { w.Header().Set("Content-Type", "application/grpc") },
			"truncated or not Centrifugo's",
		},
		"an invalid status": {
			func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/grpc")
				w.Header().Set("Grpc-Status", "fine")
			},
			`its Grpc-Status is "fine"`,
		},
		"compressed": {
			func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/grpc")
				_, _ = w.Write([]byte{1, 0, 0, 0, 0})
			},
			"truncated or not Centrifugo's",
		},
		"cut": {
			func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/grpc")
				_, _ = w.Write([]byte{0, 0, 0, 0, 9, 1})
			},
			"truncated or not Centrifugo's",
		},
		"another encoding": {
			func(w http.ResponseWriter) { w.Header().Set("Content-Type", "application/json") },
			"truncated or not Centrifugo's",
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				test.respond(w)
				return true
			}}
			client := byGRPC.connect(t, centrifugo.Options{APIURL: p.start(t, byGRPC)})
			wantUnavailable(t, client, test.reason, []centrifugo.Broadcast{
				broadcastTo(name("user")), broadcastTo(name("user"), name("resource")),
			})
		})
	}
}

// A connection on which no answer arrives is replaced, so that one which has died silently does not
// stop publishing.
func TestPublishByGRPCReplacesASilentConnection(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	p := &proxy{answer: func(_ http.ResponseWriter, r *http.Request, _ pipe) bool {
		if r.Context().Value(connectionKey{}) == int32(1) {
			<-r.Context().Done() // the first connection is dead
			return true
		}
		return false
	}}
	client := byGRPC.connect(t, centrifugo.Options{
		APIURL:  byGRPC.urls(p.startCounting(t, &connections)),
		Timeout: 300 * time.Millisecond,
	})
	broadcasts := []centrifugo.Broadcast{broadcastTo(name("user"))}
	wantClass(t, client.Publish(t.Context(), broadcasts)[0], centrifugo.Unavailable)
	wantAccepted(t, client.Publish(t.Context(), broadcasts))
	if got := connections.Load(); got != 2 {
		t.Errorf("got %d connections, want 2", got)
	}
}
