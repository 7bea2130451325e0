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
	"github.com/fanfarehq/fanfare/internal/nettest"
)

func TestPublishUnavailable(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
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
				reason: "is not Centrifugo's " + string(w) + " API (HTTP 404 Not Found)",
			},
			"redirect": {
				answer: func(w http.ResponseWriter, r *http.Request, _ pipe) bool {
					http.Redirect(w, r, server.APIURL(), http.StatusMovedPermanently)
					return true
				},
				reason: "is not Centrifugo's " + string(w) + " API (HTTP 301 Moved Permanently)",
			},
			"wrong key": { // the proxy forwards the key, which the real server rejects
				answer: func(http.ResponseWriter, *http.Request, pipe) bool { return false },
				reason: "rejects the API key (" + map[way]string{byHTTP: "HTTP 401", byGRPC: "gRPC status 16"}[w],
			},
			"hung": {
				answer: func(_ http.ResponseWriter, r *http.Request, _ pipe) bool {
					<-r.Context().Done()
					return true
				},
				reason: "did not respond in time",
				cause:  context.DeadlineExceeded,
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
				client := w.connect(t, centrifugo.Options{
					APIURL: p.start(t, w), APIKey: key, Timeout: 300 * time.Millisecond,
				})
				broadcasts := []centrifugo.Broadcast{
					broadcastTo(name("user")),
					broadcastTo(name("user"), name("resource")),
				}
				for _, got := range wantUnavailable(t, client, test.reason, broadcasts) {
					if strings.Contains(got.Error(), key) {
						t.Errorf("%q tells the key", got)
					}
					if test.cause != nil && !errors.Is(got, test.cause) {
						t.Errorf("got cause %v, want %v", errors.Unwrap(got), test.cause)
					}
				}
			})
		}
	})
}

// wantUnavailable publishes, checks that every channel fails with an Unavailable error that
// contains a text, and returns the errors.
func wantUnavailable(
	t *testing.T,
	client *centrifugo.Client,
	text string,
	broadcasts []centrifugo.Broadcast,
) []*centrifugo.Error {
	t.Helper()
	var all []*centrifugo.Error
	for i, result := range client.Publish(t.Context(), broadcasts) {
		got := wantClass(t, result, centrifugo.Unavailable)
		if !strings.Contains(got.Error(), text) {
			t.Errorf("got %q, want %q in it", got, text)
		}
		if !slices.Equal(result.Failed, broadcasts[i].Channels) {
			t.Errorf("failed: got %q, want %q", result.Failed, broadcasts[i].Channels)
		}
		all = append(all, got)
	}
	return all
}

// What a server or a proxy responds with status 200 that is not the answer to a batch makes no
// message undeliverable.
func TestPublishByHTTPUnavailable(t *testing.T) {
	t.Parallel()
	const one, two = `{"broadcast":{"responses":[{"result":{}}]}}`,
		`{"broadcast":{"responses":[{"result":{}},{"result":{}}]}}`
	for title, body := range map[string]string{
		"truncated":          `{"replies":[` + one + `,{"broadcast":{"respon`,
		"no replies":         `{}`,
		"another result":     `{"result":{}}`,
		"too few replies":    `{"replies":[` + one + `]}`,
		"too many replies":   `{"replies":[` + one + `,` + two + `,` + one + `]}`,
		"no responses":       `{"replies":[{"broadcast":{"responses":[]}},{"broadcast":{}}]}`,
		"too many responses": `{"replies":[` + two + `,{"broadcast":{"responses":[{},{},{}]}}]}`,
		"replies of another": `{"replies":[{"info":{}},{"info":{}}]}`,
		"a web page":         `<html>`,
		"empty":              ``,
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				_, _ = w.Write([]byte(body))
				return true
			}}
			client := connect(t, centrifugo.Options{APIURL: p.start(t, byHTTP)})
			wantUnavailable(t, client, "truncated or not Centrifugo's", []centrifugo.Broadcast{
				broadcastTo(name("user")), broadcastTo(name("user"), name("resource")),
			})
		})
	}
	t.Run("a response that ends early", func(t *testing.T) {
		t.Parallel()
		p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"replies":[`))
			return true
		}}
		client := connect(t, centrifugo.Options{APIURL: p.start(t, byHTTP)})
		wantUnavailable(t, client, "truncated or not Centrifugo's", []centrifugo.Broadcast{broadcastTo(name("user"))})
	})
}

func TestPublishWithoutAServer(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		urls := strings.Replace(w.urls(nettest.Refused(t)), "http://", "http://another:hidden@", 1) + "?api_key=hidden"
		client := w.connect(t, centrifugo.Options{APIURL: urls})
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
	})
}

// Once the server is unavailable, the remaining broadcasts are not attempted.
func TestPublishStopsWhenUnavailable(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		p := &proxy{answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}}
		client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w), PipeSize: 1, MaxInFlight: 2})
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
	})
}

func TestPublishCancelled(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		ctx, cancel := context.WithCancel(t.Context())
		p := &proxy{answer: func(_ http.ResponseWriter, r *http.Request, _ pipe) bool {
			cancel()
			<-r.Context().Done()
			return true
		}}
		client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w), PipeSize: 1, MaxInFlight: 1})
		for _, result := range client.Publish(ctx, []centrifugo.Broadcast{
			broadcastTo(name("user")),
			broadcastTo(name("user")),
		}) {
			if got := wantClass(t, result, centrifugo.Unavailable); !errors.Is(got, context.Canceled) {
				t.Errorf("got cause %v, want %v", errors.Unwrap(got), context.Canceled)
			}
		}
	})
}
