package centrifugo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/centrifugal/gocent/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// Clients get what was published, on the channel that comes with the connection
// and on one that they subscribe to, each channel in order, over many pipes.
func TestPublishReachesClientsInOrder(t *testing.T) {
	t.Parallel()
	const messages = 200
	channels := parse(t, centrifugo.Formats{})
	tenant, principal, resource := uuid.New(), uuid.New(), uuid.New()
	personal, followed := make(chan []byte, messages), make(chan []byte, messages)
	listen(t, tenant, principal, channels.Resource(tenant, resource), personal, followed)

	var broadcasts []centrifugo.Broadcast
	for i := range messages {
		broadcasts = append(broadcasts, centrifugo.Broadcast{
			Order:          resource,
			Channels:       []string{channels.User(tenant, principal), channels.Resource(tenant, resource)},
			Data:           fmt.Appendf(nil, `{"n":%d,"text":"<é & \" \u2028>"}`, i),
			IdempotencyKey: uuid.NewString(),
		}, broadcastTo(channels.Resource(tenant, uuid.New()))) // others, to share the pipes with
	}
	client := connect(t, centrifugo.Options{PipeSize: 20})
	wantAccepted(t, client.Publish(t.Context(), broadcasts))

	for name, inbox := range map[string]chan []byte{"personal": personal, "followed": followed} {
		for want := range messages {
			var got struct {
				N    int    `json:"n"`
				Text string `json:"text"`
			}
			if err := json.Unmarshal(receive(t, inbox), &got); err != nil {
				t.Fatal(err)
			}
			if got.N != want || got.Text != "<é & \" \u2028>" {
				t.Fatalf("%s channel: got %+v, want message %d", name, got, want)
			}
		}
	}
}

func TestPublishNothing(t *testing.T) {
	t.Parallel()
	client := connect(t, centrifugo.Options{})
	if got := client.Publish(t.Context(), nil); len(got) != 0 {
		t.Errorf("got %d results, want none", len(got))
	}
	wantAccepted(t, client.Publish(t.Context(), []centrifugo.Broadcast{{Data: []byte(`1`)}}))
}

// A wide audience goes out in several commands; every channel gets the message
// once, also when it is sent again.
func TestPublishWideAudienceOnce(t *testing.T) {
	t.Parallel()
	p := &proxy{}
	client := connect(t, centrifugo.Options{APIURL: p.start(t), AudienceSize: 40})
	b := broadcastTo(names("resource", 101)...)
	for range 2 {
		wantAccepted(t, client.Publish(t.Context(), []centrifugo.Broadcast{b}))
	}
	for _, name := range b.Channels {
		if got := history(t, name); !slices.Equal(got, []string{string(b.Data)}) {
			t.Errorf("%s holds %q, want the message once", name, got)
		}
	}
	for _, pipe := range p.seen() {
		var sizes []int
		for _, command := range pipe {
			sizes = append(sizes, len(command.Params.Channels))
		}
		if !slices.Equal(sizes, []int{40, 40, 21}) {
			t.Errorf("got broadcasts of %d channels, want 40, 40 and 21", sizes)
		}
	}
}

// What can never be accepted fails alone: the other channels of the broadcast,
// and the other broadcasts of the pipe, are published.
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
		"long channel":      {broadcastTo("resource:"+strings.Repeat("x", 300), good), "resource:" + strings.Repeat("x", 300), "309 bytes"},
		"invalid JSON":      {withData(`{"a":`, name("resource")), "", "not valid JSON"},
		"empty":             {withData(``, name("resource")), "", "payload is empty"},
		"too large":         {withData(`"`+strings.Repeat("x", 2000)+`"`, name("resource")), "", "2002 bytes, 1000 are allowed"},
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

// A channel that fails for a passing reason is tried again, alone.
func TestPublishTriesFailedChannelsAgain(t *testing.T) {
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
				t.Errorf("got code %d for %q, failed %q, want code %d for %q", got.Code, got.Channel, results[0].Failed, test.code, bad)
			}
			wantAccepted(t, results[1:])
			if len(p.seen()) != test.pipes {
				t.Errorf("got %d pipes, want %d", len(p.seen()), test.pipes)
			}
		})
	}
}

// While anything may still be delivered, a broadcast is not given up.
func TestPublishMixedFailuresAreTheMostHopeful(t *testing.T) {
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

// A request that the server refuses as a whole is taken apart until the
// culprit stands alone.
func TestPublishFindsTheCulpritOfARefusedPipe(t *testing.T) {
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

// A server that refuses everything as malformed, as a web server does when it is
// spoken to in plain text on its TLS port, condemns no message.
func TestPublishBlamesNoMessageForAWrongServer(t *testing.T) {
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

// A client outlives its server.
func TestPublishAfterRestart(t *testing.T) {
	t.Parallel()
	own, err := devstack.StartCentrifugo(t.Context(), devstack.CentrifugoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := own.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
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
		"wrong key": { // the proxy passes on the key, which the real server refuses
			answer: func(http.ResponseWriter, *http.Request, pipe) bool { return false },
			reason: "refuses the API key (HTTP 401)",
		},
		"hung": {
			answer: func(_ http.ResponseWriter, r *http.Request, _ pipe) bool {
				<-r.Context().Done()
				return true
			},
			reason: "did not answer in time",
			cause:  context.DeadlineExceeded,
		},
		"truncated": {
			answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				w.Header().Set("Content-Length", "100")
				_, _ = w.Write([]byte(`{"result":{"respon`))
				return true
			},
			reason: "cut short or not Centrifugo's",
		},
		"too few replies": {
			answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				_, _ = w.Write([]byte(`{"result":{}}`))
				return true
			},
			reason: "cut short or not Centrifugo's",
		},
		"too few responses": {
			answer: func(w http.ResponseWriter, _ *http.Request, p pipe) bool {
				_, _ = w.Write([]byte(strings.Repeat(`{"result":{"responses":[]}}`, len(p))))
				return true
			},
			reason: "cut short or not Centrifugo's",
		},
		"a web page": {
			answer: func(w http.ResponseWriter, _ *http.Request, _ pipe) bool {
				_, _ = w.Write([]byte(`<html>`))
				return true
			},
			reason: "cut short or not Centrifugo's",
		},
		"connection dropped": {
			answer: func(http.ResponseWriter, *http.Request, pipe) bool { panic(http.ErrAbortHandler) },
			reason: "cannot be reached",
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

func TestPublishNobodyListens(t *testing.T) {
	t.Parallel()
	client := connect(t, centrifugo.Options{APIURL: "http://somebody:hidden@" + deadAddress(t) + "/api?api_key=hidden"})
	got := wantClass(t, client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(name("user"))})[0], centrifugo.Unavailable)
	if !errors.Is(got, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want connection refused", got)
	}
	if strings.Contains(got.Error(), "hidden") {
		t.Errorf("%q tells a secret", got)
	}
}

// Once the server is found to be down, the rest of the call is not tried.
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

// The bound on requests in flight holds over all calls, and is met.
func TestPublishBoundsRequestsInFlight(t *testing.T) {
	t.Parallel()
	const limit = 3
	arrived, leave := make(chan struct{}), make(chan struct{})
	p := &proxy{answer: func(http.ResponseWriter, *http.Request, pipe) bool {
		arrived <- struct{}{}
		<-leave
		return false
	}}
	client := connect(t, centrifugo.Options{APIURL: p.start(t), PipeSize: 1, MaxInFlight: limit})
	const calls, each = 4, 2
	done := make(chan []centrifugo.Result, calls)
	for range calls {
		go func() {
			done <- client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(name("user")), broadcastTo(name("user"))})
		}()
	}
	for range limit {
		<-arrived
	}
	for range calls*each - limit {
		select {
		case <-arrived:
			t.Error("got a request more in flight than allowed")
		default:
		}
		leave <- struct{}{}
		<-arrived
	}
	for range limit {
		leave <- struct{}{}
	}
	for range calls {
		wantAccepted(t, <-done)
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
	for _, result := range client.Publish(ctx, []centrifugo.Broadcast{broadcastTo(name("user")), broadcastTo(name("user"))}) {
		if got := wantClass(t, result, centrifugo.Unavailable); !errors.Is(got, context.Canceled) {
			t.Errorf("got cause %v, want %v", errors.Unwrap(got), context.Canceled)
		}
	}
}

func TestNewReportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := centrifugo.New(centrifugo.Options{APIURL: "centrifugo:8000", APIKey: "two words", PipeSize: -1})
	for _, want := range []string{"API URL", "API key", "pipe size"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q among the mistakes", err, want)
		}
	}
	_, err = centrifugo.New(centrifugo.Options{APIURL: "http://u:hidden@host:x/api", APIKey: "hidden key"})
	if err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v, want an error without secrets", err)
	}
}

// connect returns a client of the real server, or of the one that o names.
func connect(t testing.TB, o centrifugo.Options) *centrifugo.Client {
	t.Helper()
	if o.APIURL == "" {
		o.APIURL = server.APIURL()
	}
	if o.APIKey == "" {
		o.APIKey = server.APIKey()
	}
	client, err := centrifugo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// name returns a channel of a namespace that no other test uses.
func name(namespace string) string { return namespace + ":" + uuid.NewString() }

func names(namespace string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = name(namespace)
	}
	return all
}

// broadcastTo returns a broadcast of a message of its own.
func broadcastTo(channels ...string) centrifugo.Broadcast {
	id := uuid.NewString()
	return centrifugo.Broadcast{Channels: channels, Data: fmt.Appendf(nil, `{"id":%q}`, id), IdempotencyKey: id}
}

func withData(data string, channels ...string) centrifugo.Broadcast {
	b := broadcastTo(channels...)
	b.Data = []byte(data)
	return b
}

func wantAccepted(t testing.TB, results []centrifugo.Result) {
	t.Helper()
	for i, result := range results {
		if result.Err != nil || result.Failed != nil {
			t.Errorf("result %d: got %v, failed %q, want it accepted", i, result.Err, result.Failed)
		}
	}
}

func wantClass(t testing.TB, result centrifugo.Result, want centrifugo.Class) *centrifugo.Error {
	t.Helper()
	var err *centrifugo.Error
	if !errors.As(result.Err, &err) {
		t.Fatalf("got %v, want a *centrifugo.Error", result.Err)
	}
	if err.Class != want {
		t.Fatalf("got %s (%v), want %s", err.Class, err, want)
	}
	return err
}

// history returns the messages that the real server keeps of a channel.
func history(t testing.TB, channel string) []string {
	t.Helper()
	api := gocent.New(gocent.Config{
		Addr: server.APIURL(), Key: server.APIKey(),
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	kept, err := api.History(t.Context(), channel, gocent.WithLimit(gocent.NoLimit))
	if err != nil {
		t.Fatal(err)
	}
	var messages []string
	for _, publication := range kept.Publications {
		messages = append(messages, string(publication.Data))
	}
	return messages
}

// listen connects a principal over WebSocket and returns once it gets what is
// published on its own channel and on the followed one.
func listen(t *testing.T, tenant, principal uuid.UUID, channel string, personal, followed chan<- []byte) {
	t.Helper()
	subject := tenant.String() + "." + principal.String()
	expires := time.Now().Add(time.Minute).Unix()
	client := centrifuge.NewJsonClient(server.WebSocketURL(), centrifuge.Config{
		Token: sign(t, jwt.MapClaims{"sub": subject, "exp": expires}),
	})
	t.Cleanup(client.Close)
	ready := make(chan struct{}, 2)
	client.OnSubscribed(func(centrifuge.ServerSubscribedEvent) { ready <- struct{}{} })
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) { personal <- e.Data })
	subscription, err := client.NewSubscription(channel, centrifuge.SubscriptionConfig{
		Token: sign(t, jwt.MapClaims{"sub": subject, "exp": expires, "channel": channel}),
	})
	if err != nil {
		t.Fatal(err)
	}
	subscription.OnSubscribed(func(centrifuge.SubscribedEvent) { ready <- struct{}{} })
	subscription.OnPublication(func(e centrifuge.PublicationEvent) { followed <- e.Data })
	if err := client.Connect(); err != nil {
		t.Fatal(err)
	}
	if err := subscription.Subscribe(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case <-ready:
		case <-time.After(10 * time.Second):
			t.Fatal("got no subscription")
		}
	}
}

func sign(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(server.TokenSecret()))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func receive(t *testing.T, inbox <-chan []byte) []byte {
	t.Helper()
	select {
	case data := <-inbox:
		return data
	case <-time.After(10 * time.Second):
		t.Fatal("got no message")
		return nil
	}
}
