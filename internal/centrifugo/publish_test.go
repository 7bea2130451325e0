package centrifugo_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// Clients receive the publications of their personal channel, to which the connection is
// subscribed, and of a channel that they subscribe to, in order for each channel, over many
// requests.
func TestPublishReachesClientsInOrder(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		const messages = 200
		channels := parse(t, centrifugo.Formats{})
		tenant, principal, resource := uuid.New(), uuid.New(), uuid.New()
		personal, followed := make(chan []byte, messages), make(chan []byte, messages)
		listen(t, principalOf(tenant, principal), channels.Resource(tenant, resource), personal, followed)

		var broadcasts []centrifugo.Broadcast
		for i := range messages {
			broadcasts = append(broadcasts, centrifugo.Broadcast{
				Order: resource,
				Channels: []string{channels.User(principalOf(tenant, principal)), channels.Resource(tenant,
					resource)},
				Data:           fmt.Appendf(nil, `{"n":%d,"text":"<é & \" \u2028>"}`, i),
				IdempotencyKey: uuid.NewString(),
			}, broadcastTo(channels.Resource(tenant, uuid.New()))) // of other resources, in the same requests
		}
		client := w.connect(t, centrifugo.Options{PipeSize: 20})
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
	})
}

func TestPublishNothing(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		client := w.connect(t, centrifugo.Options{})
		if got := client.Publish(t.Context(), nil); len(got) != 0 {
			t.Errorf("got %d results, want none", len(got))
		}
		wantAccepted(t, client.Publish(t.Context(), []centrifugo.Broadcast{{Data: []byte(`1`)}}))
	})
}

// A wide audience is sent in several commands. Every channel receives the message once, also after
// another attempt.
func TestPublishWideAudienceOnce(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		p := &proxy{}
		client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w), AudienceSize: 40})
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
	})
}

// The limit on concurrent requests holds for all calls, and is reached.
func TestPublishBoundsRequestsInFlight(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		const limit = 3
		arrived, leave := make(chan struct{}), make(chan struct{})
		p := &proxy{answer: func(http.ResponseWriter, *http.Request, pipe) bool {
			arrived <- struct{}{}
			<-leave
			return false
		}}
		client := w.connect(t, centrifugo.Options{APIURL: p.start(t, w), PipeSize: 1, MaxInFlight: limit})
		const calls, each = 4, 2
		done := make(chan []centrifugo.Result, calls)
		for range calls {
			go func() {
				done <- client.Publish(t.Context(), []centrifugo.Broadcast{
					broadcastTo(name("user")),
					broadcastTo(name("user")),
				})
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
	})
}

func TestNewReportsEveryViolation(t *testing.T) {
	t.Parallel()
	_, err := centrifugo.New(centrifugo.Options{APIURL: "centrifugo:8000", APIKey: "two words", PipeSize: -1})
	for _, want := range []string{"API URL", "API key", "pipe size"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q among the violations", err, want)
		}
	}
	_, err = centrifugo.New(centrifugo.Options{APIURL: "http://u:hidden@host:x/api", APIKey: "hidden key"})
	if err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v, want an error without secrets", err)
	}
}
