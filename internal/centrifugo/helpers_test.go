package centrifugo_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/centrifugal/gocent/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

// connect returns a client of the real server, or of the one in o.
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

// broadcastTo returns a broadcast of a unique message.
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

// history returns the messages in a channel's history on the real server.
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

// listen connects a principal over WebSocket and returns once it receives the publications of its
// personal channel and of the followed one.
func listen(t *testing.T, p activity.Principal, channel string, personal, followed chan<- []byte) {
	t.Helper()
	subject := p.TenantID.String() + "." + p.PrincipalID.String()
	expires := time.Now().Add(time.Minute).Unix()
	client := centrifuge.NewJsonClient(server.WebSocketURL(), centrifuge.Config{
		Token: jwttest.Sign(t, server.TokenSecret(), jwt.MapClaims{"sub": subject, "exp": expires}),
	})
	t.Cleanup(client.Close)
	ready := make(chan struct{}, 2)
	client.OnSubscribed(func(centrifuge.ServerSubscribedEvent) { ready <- struct{}{} })
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) { personal <- e.Data })
	subscription, err := client.NewSubscription(channel, centrifuge.SubscriptionConfig{
		Token: jwttest.Sign(t, server.TokenSecret(), jwt.MapClaims{"sub": subject, "exp": expires, "channel": channel}),
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

// principalOf returns the principal of a tenant.
func principalOf(tenant, id uuid.UUID) activity.Principal {
	return activity.Principal{TenantID: tenant, PrincipalID: id}
}

// silent returns an address that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts in its backlog
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// clientURL returns where the real server listens for clients, over HTTP.
func clientURL() string {
	return strings.TrimSuffix(strings.Replace(server.WebSocketURL(), "ws:", "http:", 1), "/connection/websocket")
}
