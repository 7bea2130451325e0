package api_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/gorilla/websocket"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// listener is a client that notes when it last received a message of a channel.
type listener struct {
	last  atomic.Int64 // Unix time in nanoseconds
	ended atomic.Bool  // by the server
}

func (l *listener) receive() { l.last.Store(time.Now().UnixNano()) }

// shortTokens returns tokens whose subscriptions last for two seconds.
func shortTokens(t testing.TB, secret string) *centrifugo.Tokens {
	t.Helper()
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: secret, SubscriptionTTL: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// TestSubscriptionsEndWithAccess lets clients of a member and of the resource's owner follow a
// resource, and takes the member's role away. Whatever a client of the member does, its
// subscription ends; that of the owner goes on.
func TestSubscriptionsEndWithAccess(t *testing.T) {
	t.Parallel()
	w, server := newLiveWorld(t, func(o *api.Options, secret string) { o.Tokens = shortTokens(t, secret) })
	channel := w.channels.Resource(w.here.id, w.here.signal)
	var publishing sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	publisher := centrifugotest.Client(t, server)
	publishing.Go(func() {
		for wait.Sleep(ctx, 50*time.Millisecond) == nil {
			publisher.Publish(ctx, []centrifugo.Broadcast{{Channels: []string{channel}, Data: []byte(`{"n":1}`)}})
		}
	})
	defer func() { stop(); publishing.Wait(); publisher.Close() }()

	body := fmt.Sprintf(`{"channels":[%q]}`, channel)
	issue := func(c client) (bootstrap, int) {
		r := c.do("POST", "/v1/realtime/token", body)
		if r.status != http.StatusOK {
			return bootstrap{}, r.status
		}
		return as[bootstrap](r), r.status
	}
	member, owner := w.here.as(w.here.member), w.here.as(w.here.owner)
	tokens, _ := issue(member)
	theirs, _ := issue(owner)
	expired := tokens.SubscriptionTokens[channel]
	clients := map[string]*listener{
		"idle":     rawListener(t, server.WebSocketURL(), tokens, channel),
		"hostile":  rawListener(t, server.WebSocketURL(), tokens, channel, expired),
		"flooding": rawListener(t, server.WebSocketURL(), tokens, channel, "", "x", tokens.ConnectionToken),
	}
	normal := new(listener)
	clients["normal"] = normal
	library := centrifuge.NewJsonClient(server.WebSocketURL(), centrifuge.Config{Token: tokens.ConnectionToken})
	t.Cleanup(library.Close)
	sub, err := library.NewSubscription(channel, centrifuge.SubscriptionConfig{
		Token: tokens.SubscriptionTokens[channel],
		GetToken: func(centrifuge.SubscriptionTokenEvent) (string, error) {
			fresh, status := issue(member)
			if status == http.StatusForbidden {
				return "", centrifuge.ErrUnauthorized
			}
			return fresh.SubscriptionTokens[channel], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	sub.OnPublication(func(centrifuge.PublicationEvent) { normal.receive() })
	sub.OnUnsubscribed(func(centrifuge.UnsubscribedEvent) { normal.ended.Store(true) })
	if err := errors.Join(library.Connect(), sub.Subscribe()); err != nil {
		t.Fatal(err)
	}
	permitted := rawListener(t, server.WebSocketURL(), theirs, channel)
	for name, c := range clients {
		waittest.Until(t, name+" receives", func() bool { return c.last.Load() > 0 })
	}
	w.exec(`UPDATE fanfare.role_bindings SET revoked_at = now() WHERE principal_id = $1`, w.here.member)
	var heard strings.Builder
	for name, c := range clients {
		waittest.Until(t, "the subscription of the "+name+" client ends", c.ended.Load)
		after := time.Unix(0, c.last.Load()).Sub(expiryOf(t, tokens, channel))
		fmt.Fprintf(&heard, "%s %.1f s, ", name, after.Seconds())
	}
	t.Logf("received after the time of the token: %s", strings.TrimSuffix(heard.String(), ", "))
	ended := time.Now()
	waittest.Until(t, "the owner's subscription goes on", func() bool {
		return permitted.last.Load() > max(ended.UnixNano(), expiryOf(t, theirs, channel).Add(6*time.Second).UnixNano())
	})
	for name, c := range clients {
		if last := time.Unix(0, c.last.Load()); last.After(ended) {
			t.Errorf("the %s client still receives", name)
		}
	}
	if permitted.ended.Load() {
		t.Error("the owner's subscription has ended")
	}
}

// expiryOf returns when a subscription token expires.
func expiryOf(t testing.TB, tokens bootstrap, channel string) time.Time {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(tokens.SubscriptionTokens[channel], ".")[1])
	var claims struct{ Exp int64 }
	if err = errors.Join(err, json.Unmarshal(payload, &claims)); err != nil {
		t.Fatal(err)
	}
	return time.Unix(claims.Exp, 0)
}

// rawListener subscribes to a channel without a client library, and sends each of the tokens to
// prolong the subscription, several times a second.
func rawListener(t testing.TB, url string, boot bootstrap, channel string, tokens ...string) *listener {
	t.Helper()
	conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	var mu sync.Mutex
	send := func(commands ...any) {
		mu.Lock()
		defer mu.Unlock()
		for _, command := range commands {
			_ = conn.WriteJSON(command) // the reader notices the end of the connection
		}
	}
	type object = map[string]any
	send(
		object{"id": 1, "connect": object{"token": boot.ConnectionToken}},
		object{"id": 2, "subscribe": object{"channel": channel, "token": boot.SubscriptionTokens[channel]}},
	)
	l := new(listener)
	var working sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	working.Go(func() {
		defer l.ended.Store(true)
		for {
			_, frame, err := conn.ReadMessage()
			if err != nil {
				return
			}
			text := string(frame)
			if strings.TrimSpace(text) == "{}" {
				send(object{})
			}
			if strings.Contains(text, `"unsubscribe"`) && strings.Contains(text, channel) {
				l.ended.Store(true)
			}
			if strings.Contains(text, `"pub"`) && strings.Contains(text, channel) {
				l.receive()
			}
		}
	})
	working.Go(func() {
		expired := expiryOf(t, boot, channel).Add(time.Second)
		if wait.Sleep(ctx, time.Until(expired)) != nil {
			return
		}
		for id := 3; wait.Sleep(ctx, 100*time.Millisecond) == nil; id++ {
			for _, token := range tokens {
				send(object{"id": id, "sub_refresh": object{"channel": channel, "token": token}})
			}
		}
	})
	t.Cleanup(func() {
		stop()
		_ = conn.Close()
		working.Wait()
	})
	return l
}
