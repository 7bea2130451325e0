package centrifugo_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// A channel that can never accept fails alone: the other channels of the broadcast, and the other
// broadcasts of the request, are published.
func TestPublishPermanentFailures(t *testing.T) {
	t.Parallel()
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
	client := connect(t, centrifugo.Options{MaxMessageBytes: 1000})
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
}

// A channel with a Transient error is attempted again, alone.
func TestPublishRetriesTransientFailures(t *testing.T) {
	t.Parallel()
	good, bad := names("resource", 3), name("user")
	failures := 2
	p := &proxy{code: func(channel string) int {
		if channel == bad && failures > 0 {
			failures--
			return 100
		}
		return 0
	}}
	client := connect(t, centrifugo.Options{APIURL: p.start(t)})
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
}

func TestPublishGivesUpOnAFailingChannel(t *testing.T) {
	t.Parallel()
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
			client := connect(t, centrifugo.Options{APIURL: p.start(t)})
			results := client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(good, bad), broadcastTo(good)})
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
}

// While a channel may still accept, a broadcast is not Permanent.
func TestPublishMixedFailures(t *testing.T) {
	t.Parallel()
	sick := name("resource")
	p := &proxy{code: func(channel string) int {
		if channel == sick {
			return 100
		}
		return 0
	}}
	client := connect(t, centrifugo.Options{APIURL: p.start(t)})
	results := client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo("resource:a b", sick)})
	wantClass(t, results[0], centrifugo.Transient)
	if got := len(results[0].Failed); got != 2 {
		t.Errorf("got %d failed channels, want both", got)
	}
}

// A request that the server rejects as a whole is halved until the culprit is alone.
func TestPublishFindsTheCulpritOfARejectedRequest(t *testing.T) {
	t.Parallel()
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
			client := connect(t, centrifugo.Options{APIURL: p.start(t)})
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
}

// A server that rejects everything as malformed, as a web server does with plain text on its TLS
// port, makes no message Permanent.
func TestPublishToAnotherServer(t *testing.T) {
	t.Parallel()
	p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
		w.WriteHeader(http.StatusBadRequest)
		return true
	}}
	client := connect(t, centrifugo.Options{APIURL: p.start(t)})
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
}

// A client survives a restart of its server.
func TestPublishAfterRestart(t *testing.T) {
	t.Parallel()
	own := centrifugotest.Start(t, devstack.CentrifugoOptions{})
	client := connect(t, centrifugo.Options{APIURL: own.APIURL(), APIKey: own.APIKey()})
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
}

func TestPublishUnavailable(t *testing.T) {
	t.Parallel()
	key := uuid.NewString()
	tests := map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request, p pipe) bool
		reason string
		cause  error
	}{
		"failing": {
			answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			},
			reason: "is failing (HTTP 503 Service Unavailable)",
		},
		"wrong address": {
			answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				w.WriteHeader(http.StatusNotFound)
				return true
			},
			reason: "is not Centrifugo's HTTP API (HTTP 404 Not Found)",
		},
		"redirect": {
			answer: func(w http.ResponseWriter, r *http.Request, _ pipe) bool {
				http.Redirect(w, r, server.APIURL(), http.StatusMovedPermanently)
				return true
			},
			reason: "is not Centrifugo's HTTP API (HTTP 301 Moved Permanently)",
		},
		"wrong key": { // the proxy forwards the key, which the real server rejects
			answer: func(http.ResponseWriter, *http.Request, pipe) bool { return false },
			reason: "rejects the API key (HTTP 401)",
		},
		"hung": {
			answer: func(_ http.ResponseWriter, r *http.Request, _ pipe) bool {
				<-r.Context().Done()
				return true
			},
			reason: "did not respond in time",
			cause:  context.DeadlineExceeded,
		},
		"truncated": {
			answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				w.Header().Set("Content-Length", "100")
				_, _ = w.Write([]byte(`{"result":{"respon`))
				return true
			},
			reason: "truncated or not Centrifugo's",
		},
		"too few replies": {
			answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				_, _ = w.Write([]byte(`{"result":{}}`))
				return true
			},
			reason: "truncated or not Centrifugo's",
		},
		"too few responses": {
			answer: func(w http.ResponseWriter, _ *http.Request, p pipe) bool {
				_, _ = w.Write([]byte(strings.Repeat(`{"result":{"responses":[]}}`, len(p))))
				return true
			},
			reason: "truncated or not Centrifugo's",
		},
		"a web page": {
			answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				_, _ = w.Write([]byte(`<html>`))
				return true
			},
			reason: "truncated or not Centrifugo's",
		},
		"connection dropped": {
			answer: func(http.ResponseWriter, *http.Request, pipe) bool { panic(http.ErrAbortHandler) },
			reason: "is unreachable",
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			p := &proxy{answer: test.answer}
			client := connect(t, centrifugo.Options{APIURL: p.start(t), APIKey: key, Timeout: 300 * time.Millisecond})
			broadcasts := []centrifugo.Broadcast{broadcastTo(name("user")), broadcastTo(name("user"), name("resource"))}
			results := client.Publish(t.Context(), broadcasts)
			for i, result := range results {
				got := wantClass(t, result, centrifugo.Unavailable)
				if !strings.Contains(got.Error(), test.reason) {
					t.Errorf("got %q, want %q in it", got, test.reason)
				}
				if strings.Contains(got.Error(), key) {
					t.Errorf("%q tells the key", got)
				}
				if test.cause != nil && !errors.Is(got, test.cause) {
					t.Errorf("got cause %v, want %v", errors.Unwrap(got), test.cause)
				}
				if !slices.Equal(result.Failed, broadcasts[i].Channels) {
					t.Errorf("failed: got %q, want %q", result.Failed, broadcasts[i].Channels)
				}
			}
		})
	}
}

func TestPublishWithoutAServer(t *testing.T) {
	t.Parallel()
	client := connect(t, centrifugo.Options{APIURL: "http://another:hidden@" + deadAddress(t) + "/api?api_key=hidden"})
	got := wantClass(
		t,
		client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(name("user"))})[0],
		centrifugo.Unavailable,
	)
	if !errors.Is(got, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want connection refused", got)
	}
	if strings.Contains(got.Error(), "hidden") {
		t.Errorf("%q tells a secret", got)
	}
}

// Once the server is unavailable, the remaining broadcasts are not attempted.
func TestPublishStopsWhenUnavailable(t *testing.T) {
	t.Parallel()
	p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}}
	client := connect(t, centrifugo.Options{APIURL: p.start(t), PipeSize: 1, MaxInFlight: 2})
	var broadcasts []centrifugo.Broadcast
	for range 50 {
		broadcasts = append(broadcasts, broadcastTo(name("user")))
	}
	for _, result := range client.Publish(t.Context(), broadcasts) {
		wantClass(t, result, centrifugo.Unavailable)
	}
	if got := len(p.seen()); got > 2 {
		t.Errorf("got %d requests, want at most one for each in flight", got)
	}
}

func TestPublishCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := &proxy{answer: func(_ http.ResponseWriter, r *http.Request, _ pipe) bool {
		cancel()
		<-r.Context().Done()
		return true
	}}
	client := connect(t, centrifugo.Options{APIURL: p.start(t), PipeSize: 1, MaxInFlight: 1})
	for _, result := range client.Publish(ctx, []centrifugo.Broadcast{
		broadcastTo(name("user")),
		broadcastTo(name("user")),
	}) {
		if got := wantClass(t, result, centrifugo.Unavailable); !errors.Is(got, context.Canceled) {
			t.Errorf("got cause %v, want %v", errors.Unwrap(got), context.Canceled)
		}
	}
}
