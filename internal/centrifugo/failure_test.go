package centrifugo_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// A channel that can never accept fails alone: the other channels of the broadcast, and the other
// broadcasts of the request, are published.
func TestPublishPermanentFailures(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		good := name("resource")
		tests := map[string]struct {
			broken centrifugo.Broadcast
			failed string
			reason string
		}{
			"unknown namespace": {broadcastTo(good, "nowhere:x"), "nowhere:x", "no such namespace (code 102)"},
			"space in channel":  {broadcastTo("resource:a b", good), "resource:a b", "printable ASCII"},
			"long channel": {
				broadcastTo("resource:"+strings.Repeat("x", 300), good),
				"resource:" + strings.Repeat("x", 300),
				"309 bytes",
			},
			"invalid JSON": {withData(`{"a":`, name("resource")), "", "not valid JSON"},
			"empty":        {withData(``, name("resource")), "", "payload is empty"},
			"too large": {
				withData(`"`+strings.Repeat("x", 2000)+`"`, name("resource")),
				"",
				"2002 bytes; the maximum is 1000",
			},
		}
		client := w.connect(t, centrifugo.Options{MaxMessageBytes: 1000})
		for title, test := range tests {
			t.Run(title, func(t *testing.T) {
				t.Parallel()
				var broadcasts []centrifugo.Broadcast
				for range 9 {
					broadcasts = append(broadcasts, broadcastTo(name("user")))
				}
				broadcasts = slices.Insert(broadcasts, 4, test.broken)
				results := client.Publish(t.Context(), broadcasts)

				got := wantClass(t, results[4], centrifugo.Permanent)
				if !strings.Contains(got.Error(), test.reason) {
					t.Errorf("got %q, want %q in it", got, test.reason)
				}
				want := test.broken.Channels
				if test.failed != "" {
					want = []string{test.failed}
				}
				if !slices.Equal(results[4].Failed, want) {
					t.Errorf("failed: got %q, want %q", results[4].Failed, want)
				}
				wantAccepted(t, slices.Delete(results, 4, 5))
				if test.failed != "" && !slices.Contains(history(t, good), string(test.broken.Data)) {
					t.Errorf("the good channel did not get the message")
				}
			})
		}
	})
}

// A channel with a Transient error is attempted again, alone.
func TestPublishRetriesTransientFailures(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		good, bad := names("resource", 3), name("user")
		failures := 2
		p := &proxy{code: func(channel string) int {
			if channel == bad && failures > 0 {
				failures--
				return 100
			}
			return 0
		}}
		client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w)})
		b := broadcastTo(good[0], bad, good[1])
		wantAccepted(t, client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(good[2]), b}))

		pipes := p.seen()
		if len(pipes) != 3 {
			t.Fatalf("got %d pipes, want 3", len(pipes))
		}
		for _, again := range pipes[1:] {
			if got := again.channels(); !slices.Equal(got, []string{bad}) {
				t.Errorf("sent again to %q, want only %q", got, bad)
			}
			if got := again[0].Params.IdempotencyKey; got != b.IdempotencyKey {
				t.Errorf("sent again with the key %q, want %q", got, b.IdempotencyKey)
			}
		}
		for _, channel := range b.Channels {
			if got := history(t, channel); !slices.Equal(got, []string{string(b.Data)}) {
				t.Errorf("%s holds %q, want the message once", channel, got)
			}
		}
	})
}

func TestPublishGivesUpOnAFailingChannel(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		for title, test := range map[string]struct {
			code  int
			pipes int
			class centrifugo.Class
		}{
			"internal error": {100, 3, centrifugo.Transient},
			"unknown code":   {4999, 3, centrifugo.Transient},
			"bad request":    {107, 1, centrifugo.Permanent},
			"not available":  {108, 1, centrifugo.Permanent},
		} {
			t.Run(title, func(t *testing.T) {
				t.Parallel()
				good, bad := name("resource"), name("resource")
				p := &proxy{code: func(channel string) int {
					if channel == bad {
						return test.code
					}
					return 0
				}}
				client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w)})
				broadcasts := []centrifugo.Broadcast{broadcastTo(good, bad), broadcastTo(good)}
				results := client.Publish(t.Context(), broadcasts)
				got := wantClass(t, results[0], test.class)
				if got.Code != test.code || got.Channel != bad || !slices.Equal(results[0].Failed, []string{bad}) {
					t.Errorf(
						"got code %d for %q, failed %q, want code %d for %q",
						got.Code,
						got.Channel,
						results[0].Failed,
						test.code,
						bad,
					)
				}
				wantAccepted(t, results[1:])
				if len(p.seen()) != test.pipes {
					t.Errorf("got %d pipes, want %d", len(p.seen()), test.pipes)
				}
			})
		}
	})
}

// While a channel may still accept, a broadcast is not Permanent.
func TestPublishMixedFailures(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		sick := name("resource")
		p := &proxy{code: func(channel string) int {
			if channel == sick {
				return 100
			}
			return 0
		}}
		client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w)})
		results := client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo("resource:a b", sick)})
		wantClass(t, results[0], centrifugo.Transient)
		if got := len(results[0].Failed); got != 2 {
			t.Errorf("got %d failed channels, want both", got)
		}
	})
}

// A request that the server rejects as a whole is halved until the culprit is alone.
func TestPublishFindsTheCulpritOfARejectedRequest(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		for _, status := range []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge} {
			t.Run(http.StatusText(status), func(t *testing.T) {
				t.Parallel()
				culprit := name("resource")
				p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, p pipe) bool {
					if !slices.Contains(p.channels(), culprit) {
						return false
					}
					w.WriteHeader(status)
					return true
				}}
				client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w)})
				var broadcasts []centrifugo.Broadcast
				for range 20 {
					broadcasts = append(broadcasts, broadcastTo(name("resource")))
				}
				broadcasts[13].Channels = []string{culprit}
				results := client.Publish(t.Context(), broadcasts)
				if got := wantClass(t, results[13], centrifugo.Permanent); got.Status != status {
					t.Errorf("got status %d, want %d", got.Status, status)
				}
				wantAccepted(t, slices.Delete(results, 13, 14))
			})
		}
	})
}

// A server that rejects everything as malformed, as a web server does with plain text on its TLS
// port, makes no message Permanent.
func TestPublishToAnotherServer(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}}
		client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w)})
		var broadcasts []centrifugo.Broadcast
		for range 64 {
			broadcasts = append(broadcasts, broadcastTo(name("user")))
		}
		for _, result := range client.Publish(t.Context(), broadcasts) {
			wantClass(t, result, centrifugo.Unavailable)
		}
		if got := len(p.seen()); got != 8 { // 64, 32, … 1, and the ping
			t.Errorf("got %d requests, want 8", got)
		}
	})
}

// A client survives a restart of its server.
func TestPublishAfterRestart(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		own := centrifugotest.Start(t, devstack.CentrifugoOptions{})
		client := w.connect(t, centrifugo.Options{
			APIURL: map[way]string{byHTTP: own.APIURL(), byGRPC: own.APIURLs()}[w], APIKey: own.APIKey(),
		})
		broadcasts := []centrifugo.Broadcast{broadcastTo(name("user"))}
		wantAccepted(t, client.Publish(t.Context(), broadcasts))
		if err := own.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantClass(t, client.Publish(t.Context(), broadcasts)[0], centrifugo.Unavailable)
		if err := own.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantAccepted(t, client.Publish(t.Context(), broadcasts))
	})
}

// The endpoint that rejects a message is the one that must prove to be Centrifugo, although
// publications go to another one meanwhile.
func TestPublishConfirmsWhereItWasRejected(t *testing.T) {
	t.Parallel()
	var client *centrifugo.Client
	rejected, failed := name("user"), name("user")
	p := &proxy{answer: func(w http.ResponseWriter, r *http.Request, p pipe) bool {
		switch channels := p.channels(); {
		case slices.Contains(channels, failed):
			w.WriteHeader(http.StatusServiceUnavailable)
		case slices.Contains(channels, rejected):
			wantAccepted(t, client.Publish(r.Context(), []centrifugo.Broadcast{broadcastTo(failed)})) // by the other
			w.WriteHeader(http.StatusBadRequest)
		default:
			w.WriteHeader(http.StatusBadRequest) // the ping
		}
		return true
	}}
	client = connect(t, centrifugo.Options{APIURL: p.start(t, byHTTP) + "," + server.APIURL()})
	wantClass(t, client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(rejected)})[0], centrifugo.Unavailable)
}
