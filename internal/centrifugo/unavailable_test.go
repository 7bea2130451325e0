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
				client := w.connect(t, centrifugo.Options{
					APIURL: p.start(t, w), APIKey: key, Timeout: 300 * time.Millisecond,
				})
				broadcasts := []centrifugo.Broadcast{
					broadcastTo(name("user")),
					broadcastTo(name("user"), name("resource")),
				}
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
	})
}

func TestPublishWithoutAServer(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		urls := strings.Replace(w.urls(deadAddress(t)), "http://", "http://another:hidden@", 1) + "?api_key=hidden"
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
