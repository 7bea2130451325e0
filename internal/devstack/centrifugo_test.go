package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/golang-jwt/jwt/v5"

	"github.com/fanfarehq/fanfare/internal/jwttest"
)

func TestCentrifugoChannels(t *testing.T) {
	t.Parallel()
	c := startCentrifugo(t, CentrifugoOptions{ExtraNamespaces: []string{"chat"}})
	const me, own = "tenant-1.principal-1", "user:#tenant-1.principal-1"

	t.Run("a client has its own channel from the start", func(t *testing.T) {
		client := newClient(t, c, me)
		subscribed := awaitEvent(t, "subscribed by the server", client.subscribed)
		if subscribed.Channel != own {
			t.Errorf("channel: got %q, want %q", subscribed.Channel, own)
		}
		if !subscribed.Recoverable {
			t.Error("the channel is not recoverable")
		}
		publish(t, c, own, `{"n":1}`)
		published := awaitEvent(t, "publication", client.published)
		if published.Channel != own || string(published.Data) != `{"n":1}` {
			t.Errorf("publication: got %s on %q", published.Data, published.Channel)
		}
	})

	for name, attempt := range map[string]struct {
		channel, token string
		want           uint32 // the server's code: 103 permission denied, 3500 invalid token, 0 success
	}{
		"another's channel":                  {"user:#tenant-1.principal-2", "", 103},
		"another tenant's channel":           {"user:#tenant-2.principal-1", "", 103},
		"a channel with both names":          {"user:#tenant-1.principal-2,tenant-1.principal-1", "", 103},
		"a resource without a token":         {"resource:tenant-1.r", "", 103},
		"the tenant without a token":         {"tenant:tenant-1", "", 103},
		"an extra namespace without a token": {"chat:tenant-1.room", "", 103},
		"an unknown namespace":               {"other:x", "", 102},
		"a resource with its token":          {"resource:tenant-1.r", token(t, c, me, "resource:tenant-1.r"), 0},
		"an extra namespace with its token":  {"chat:tenant-1.room", token(t, c, me, "chat:tenant-1.room"), 0},
		"a resource with another's token": {
			"resource:tenant-1.r", token(t, c, "tenant-1.principal-2", "resource:tenant-1.r"), 3500,
		},
		"a resource with another channel's token": {
			"resource:tenant-1.r", token(t, c, me, "resource:tenant-1.other"), 3500,
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, c, me)
			if got := subscribe(t, client, attempt.channel, attempt.token); got != attempt.want {
				t.Errorf("code: got %d, want %d", got, attempt.want)
			}
		})
	}

	t.Run("a connection requires a token", func(t *testing.T) {
		client := connectWith(t, c, "")
		if disconnected := awaitEvent(t, "disconnected", client.disconnected); disconnected.Code == 0 {
			t.Errorf("got %+v, want a rejection", disconnected)
		}
	})
}

func TestCentrifugoRestartsOnItsPorts(t *testing.T) {
	t.Parallel()
	c := startCentrifugo(t, CentrifugoOptions{})
	api, socket := c.APIURL(), c.WebSocketURL()
	if err := c.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.ready(t.Context(), 0) {
		t.Error("the server outlived Kill")
	}
	for range 2 { // from down, and from up
		if err := c.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.APIURL() != api || c.WebSocketURL() != socket {
			t.Errorf("URLs: got %s and %s, want %s and %s", c.APIURL(), c.WebSocketURL(), api, socket)
		}
		publish(t, c, "tenant:t", `{}`)
	}
	stop(t, c)
	if exists(c.server.dir.path) {
		t.Error("the directory outlived Stop")
	}
}

func TestCentrifugoKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	c := startCentrifugo(t, CentrifugoOptions{})
	info, err := os.Stat(c.configFile())
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode of the configuration: got %o, want 600", got)
	}
	shown := fmt.Sprintf("%v %+v %s %q", c, c, c, c.server.child.cmd.Args)
	for _, secret := range []string{c.apiKey, c.tokenSecret} {
		if strings.Contains(shown, secret) {
			t.Error("printing the server or its command shows a secret")
		}
	}
}

func TestCentrifugoStartError(t *testing.T) {
	t.Parallel()
	_, err := StartCentrifugo(t.Context(), CentrifugoOptions{ExtraNamespaces: []string{"no spaces"}})
	if err == nil || !strings.Contains(err.Error(), "namespace") {
		t.Errorf("got %v, want the server's error", err)
	}
}

func TestCentrifugoNotFound(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("PATH", dir)
	t.Setenv(centrifugoVariable, "")
	if _, err := FindCentrifugo(""); !errors.Is(err, ErrNoCentrifugo) {
		t.Errorf("got %v, want ErrNoCentrifugo", err)
	}
	t.Setenv(centrifugoVariable, filepath.Join(dir, "absent"))
	if _, err := FindCentrifugo(""); err == nil || errors.Is(err, ErrNoCentrifugo) {
		t.Errorf("a named binary that is absent: got %v, want an error that names it", err)
	}
}

// client is a connection with channels of its events.
type client struct {
	*centrifuge.Client
	subscribed   chan centrifuge.ServerSubscribedEvent
	published    chan centrifuge.ServerPublicationEvent
	disconnected chan centrifuge.DisconnectedEvent
}

func newClient(t testing.TB, c *Centrifugo, user string) *client {
	t.Helper()
	return connectWith(t, c, token(t, c, user, ""))
}

func connectWith(t testing.TB, c *Centrifugo, token string) *client {
	t.Helper()
	got := &client{
		Client:       centrifuge.NewJsonClient(c.WebSocketURL(), centrifuge.Config{Token: token}),
		subscribed:   make(chan centrifuge.ServerSubscribedEvent, 1),
		published:    make(chan centrifuge.ServerPublicationEvent, 1),
		disconnected: make(chan centrifuge.DisconnectedEvent, 1),
	}
	got.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) { offer(got.subscribed, e) })
	got.OnPublication(func(e centrifuge.ServerPublicationEvent) { offer(got.published, e) })
	got.OnDisconnected(func(e centrifuge.DisconnectedEvent) { offer(got.disconnected, e) })
	t.Cleanup(got.Close)
	if err := got.Connect(); err != nil {
		t.Fatal(err)
	}
	return got
}

// subscribe returns the code of the server's rejection or disconnect, or 0 if it subscribed.
func subscribe(t testing.TB, c *client, channel, token string) uint32 {
	t.Helper()
	subscription, err := c.NewSubscription(channel, centrifuge.SubscriptionConfig{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan uint32, 1)
	subscription.OnSubscribed(func(centrifuge.SubscribedEvent) { offer(answer, 0) })
	subscription.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { offer(answer, e.Code) })
	if err := subscription.Subscribe(); err != nil {
		t.Fatal(err)
	}
	select {
	case disconnected := <-c.disconnected:
		return disconnected.Code
	case code := <-answer:
		return code
	case <-time.After(timeout):
		t.Fatalf("answer to the subscription: nothing within %v", timeout)
		panic("unreachable")
	}
}

// token returns a connection token, or for a channel a subscription token.
func token(t testing.TB, c *Centrifugo, user, channel string) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": user, "exp": time.Now().Add(time.Minute).Unix()}
	if channel != "" {
		claims["channel"] = channel
	}
	return jwttest.Sign(t, c.TokenSecret(), claims)
}

func publish(t testing.TB, c *Centrifugo, channel, data string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"channel": channel, "data": json.RawMessage(data)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(
		ctx,
		http.MethodPost,
		c.APIURL()+"/publish",
		strings.NewReader(string(body)),
	)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("X-API-Key", c.APIKey())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var reply struct{ Error json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil || reply.Error != nil {
		t.Fatalf("publish: status %d, error %s, %v", response.StatusCode, reply.Error, err)
	}
}

// offer keeps the first event.
func offer[E any](events chan E, event E) {
	select {
	case events <- event:
	default:
	}
}

func awaitEvent[E any](t testing.TB, what string, events <-chan E) E {
	t.Helper()
	select {
	case event := <-events:
		return event
	case <-time.After(timeout):
		t.Fatalf("%s: nothing within %v", what, timeout)
		panic("unreachable")
	}
}
