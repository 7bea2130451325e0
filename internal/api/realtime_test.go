package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/stream"
)

// timeout bounds each wait of a test.
const timeout = 20 * time.Second

// newLiveWorld returns a world whose server Centrifugo asks whether subscriptions go on. change
// modifies the options of the server, given the secret of tokens; nil changes nothing.
func newLiveWorld(t *testing.T, change func(o *api.Options, secret string)) (*world, *devstack.Centrifugo) {
	t.Helper()
	var handler atomic.Pointer[http.Handler]
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*handler.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	server, err := devstack.StartCentrifugo(
		t.Context(), devstack.CentrifugoOptions{RefreshURL: front.URL + "/v1/realtime/refresh"},
	)
	if err != nil {
		t.Fatal(err)
	}
	publisher, err := centrifugo.New(centrifugo.Options{APIURL: server.APIURLs(), APIKey: server.APIKey()})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: server.TokenSecret()})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(o *api.Options) {
		hub := stream.New(stream.Options{
			WebSocketURL: server.WebSocketURL(), Tokens: tokens, Channel: o.Channels.Tenant, History: publisher,
			Log: stream.Recorded{Pool: o.Pool, Addressed: true},
		})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- hub.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := errors.Join(<-done, server.Stop(context.Background())); err != nil {
				t.Error(err)
			}
			publisher.Close()
		})
		o.Tokens, o.Publisher, o.Streams, o.RealtimeURL = tokens, publisher, hub, server.WebSocketURL()
		pool := o.Pool
		o.Examine = func(ctx context.Context) (doctor.Report, error) {
			return doctor.Examine(ctx, doctor.Options{
				Pool:      pool,
				API:       centrifugo.Options{APIURL: server.APIURLs(), APIKey: server.APIKey()},
				SocketURL: server.WebSocketURL(), Tokens: centrifugo.TokenOptions{Secret: server.TokenSecret()},
			})
		}
		if change != nil {
			change(o, server.TokenSecret())
		}
	})
	live := w.server.Handler()
	handler.Store(&live)
	return w, server
}

// bootstrap is the response of GET /realtime/bootstrap.
type bootstrap struct {
	URL                   string            `json:"url"`
	TenantID              uuid.UUID         `json:"tenant_id"`
	PrincipalID           uuid.UUID         `json:"principal_id"`
	InboxChannel          string            `json:"inbox_channel"`
	ResourceSubscriptions []string          `json:"resource_subscriptions"`
	ConnectionToken       string            `json:"connection_token"`
	SubscriptionTokens    map[string]string `json:"subscription_tokens"`
	ExpiresAt             time.Time         `json:"expires_at"`
}

// TestBootstrap checks that a bootstrapped client can subscribe to its own channel and to the
// channels of its resources.
func TestBootstrap(t *testing.T) {
	t.Parallel()
	w, server := newLiveWorld(t, nil)
	member := w.here.as(w.here.member)
	boot := as[bootstrap](member.do("GET", "/v1/realtime/bootstrap", "").want(http.StatusOK))
	resource := w.channels.Resource(w.here.id, w.here.signal)
	if boot.URL != server.WebSocketURL() || boot.TenantID != w.here.id || boot.PrincipalID != w.here.member ||
		boot.InboxChannel != w.channels.User(principalOf(w.here.id, w.here.member)) {
		t.Errorf("got %+v, want those of the member", boot)
	}
	if want := []string{resource}; !slices.Equal(boot.ResourceSubscriptions, want) ||
		boot.SubscriptionTokens[resource] == "" {
		t.Fatalf(
			"got channels %v and tokens for %v, want %v",
			boot.ResourceSubscriptions,
			boot.SubscriptionTokens,
			want,
		)
	}

	inbox, subscribed, ended := make(chan []byte, 10), make(chan struct{}, 10), make(chan struct{})
	browser := centrifuge.NewJsonClient(server.WebSocketURL(), centrifuge.Config{Token: boot.ConnectionToken})
	browser.OnDisconnected(func(centrifuge.DisconnectedEvent) { close(ended) })
	t.Cleanup(func() {
		browser.Close()
		<-ended
	})
	browser.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		if e.Channel == boot.InboxChannel {
			subscribed <- struct{}{}
		}
	})
	browser.OnPublication(func(e centrifuge.ServerPublicationEvent) { inbox <- e.Data })
	sub, err := browser.NewSubscription(
		resource,
		centrifuge.SubscriptionConfig{Token: boot.SubscriptionTokens[resource]},
	)
	if err != nil {
		t.Fatal(err)
	}
	sub.OnSubscribed(func(centrifuge.SubscribedEvent) { subscribed <- struct{}{} })
	if err := errors.Join(browser.Connect(), sub.Subscribe()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		receive(t, "a subscription", subscribed)
	}

	before := w.count(
		`SELECT count(*) FROM fanfare.notifications WHERE principal_id = $1 AND read_at IS NULL`,
		w.here.member,
	)
	wantUnread := func(want int) {
		t.Helper()
		message := map[string]any{}
		if err := json.Unmarshal(receive(t, "a message", inbox), &message); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(message); got != fmt.Sprint(
			map[string]any{"version": "1", "type": "inbox.changed", "unread_count": want},
		) {
			t.Errorf("got %s, want an unread count of %d", got, want)
		}
	}
	member.do("PATCH", "/v1/notifications/"+w.here.shown.String(), `{"read":true}`).want(http.StatusOK)
	wantUnread(before - 1)
	member.do("PATCH", "/v1/notifications/"+w.here.shown.String(), `{"read":false}`).want(http.StatusOK)
	wantUnread(before)
	marked := member.do("POST", "/v1/notifications/mark-all-read", "").want(http.StatusOK)
	if got := as[map[string]int](marked); got["marked_count"] != before {
		t.Errorf("marked_count: got %d, want %d", got["marked_count"], before)
	}
	wantUnread(0)
}

func receive[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(timeout):
		t.Fatalf("no %s within %s", what, timeout)
	}
	return v
}

// TestUnavailableCentrifugo checks that changes succeed while Centrifugo is unavailable.
func TestUnavailableCentrifugo(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	down, err := centrifugo.New(centrifugo.Options{APIURL: "http://" + refused + "/api"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(down.Close)
	w := newWorld(t, func(o *api.Options) { o.Publisher = down })
	member := w.here.as(w.here.member)
	member.do("PATCH", "/v1/notifications/"+w.here.shown.String(), `{"read":true}`).want(http.StatusOK)
	read := w.count(`
		SELECT count(*) FROM fanfare.notifications WHERE principal_id = $1 AND read_at IS NOT NULL`, w.here.member)
	if got := read; got != 1 {
		t.Errorf("got %d read notifications, want 1", got)
	}
}

// TestTokens checks that tokens are issued for all channels or for none, and that the problem lists
// the denied channels.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	mine := w.channels.User(principalOf(at.id, at.member))
	tenant, room := w.channels.Tenant(at.id), "chat:"+at.id.String()+".room"
	signal, folder := w.channels.Resource(at.id, at.signal), w.channels.Resource(at.id, at.folder)
	for name, c := range map[string]struct {
		who      uuid.UUID
		scope    string
		channels []string
		denied   []string
	}{
		"none":               {at.member, "", nil, nil},
		"own":                {at.member, "", []string{mine}, nil},
		"role":               {at.member, "", []string{signal, folder}, nil},
		"owner":              {at.owner, "", []string{signal}, nil},
		"owner of a child":   {at.owner, "", []string{signal, folder}, []string{folder}},
		"no role":            {at.outsider, "", []string{signal}, []string{signal}},
		"tenant, with scope": {at.outsider, identity.ScopeRead, []string{w.channels.Tenant(at.id)}, nil},
		"tenant, without":    {at.member, "", []string{signal, tenant}, []string{tenant}},
		"another principal": {
			at.member, identity.ScopeAdmin,
			[]string{w.channels.User(principalOf(at.id, at.owner))},
			[]string{w.channels.User(principalOf(at.id, at.owner))},
		},
		"foreign resource": {
			at.member, identity.ScopeAdmin,
			[]string{w.channels.Resource(w.elsewhere.id, w.elsewhere.signal), signal},
			[]string{w.channels.Resource(w.elsewhere.id, w.elsewhere.signal)},
		},
		"foreign resource in this tenant": {
			at.member, identity.ScopeAdmin,
			[]string{w.channels.Resource(at.id, w.elsewhere.signal)},
			[]string{w.channels.Resource(at.id, w.elsewhere.signal)},
		},
		"foreign tenant": {
			at.member, identity.ScopeAdmin,
			[]string{w.channels.Tenant(w.elsewhere.id)},
			[]string{w.channels.Tenant(w.elsewhere.id)},
		},
		"literal":       {at.member, identity.ScopeAdmin, []string{room}, []string{room}},
		"upper case":    {at.member, "", []string{strings.ToUpper(signal)}, []string{strings.ToUpper(signal)}},
		"with a suffix": {at.member, "", []string{signal + ".x"}, []string{signal + ".x"}},
		"boundary": {at.member, "", []string{"$" + signal, mine + "," + at.owner.String()}, []string{
			"$" + signal, mine + "," + at.owner.String(),
		}},
	} {
		body, err := json.Marshal(map[string]any{"channels": append([]string{}, c.channels...)})
		if err != nil {
			t.Fatal(err)
		}
		response := at.as(c.who, c.scope).do("POST", "/v1/realtime/token", string(body))
		if c.denied == nil {
			got := as[bootstrap](response.want(http.StatusOK))
			if got.ConnectionToken == "" || len(got.SubscriptionTokens) != len(c.channels) ||
				!got.ExpiresAt.After(time.Now()) {
				t.Errorf("%s: got %+v, want tokens for %v", name, got, c.channels)
			}
			continue
		}
		got := as[struct {
			Type   string
			Denied []string `json:"denied_channels"`
		}](response.want(http.StatusForbidden))
		if got.Type != "/problems/denied-channels" || !slices.Equal(got.Denied, c.denied) {
			t.Errorf("%s: got %+v, want %v denied", name, got, c.denied)
		}
		if strings.Contains(string(response.body), "eyJ") {
			t.Errorf("%s: got a token in a problem: %s", name, response.body)
		}
	}
}

// TestConnectionToken checks that no channels are needed for a connection token.
func TestConnectionToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	got := as[bootstrap](w.here.as(w.here.member).do("POST", "/v1/realtime/token", "{}").want(http.StatusOK))
	if got.ConnectionToken == "" || got.SubscriptionTokens == nil || len(got.SubscriptionTokens) != 0 {
		t.Errorf("got %+v, want a connection token alone", got)
	}
}

// TestRevokedRole checks that a principal that has lost its role gets no tokens.
func TestRevokedRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	member := w.here.as(w.here.member)
	w.exec(`UPDATE fanfare.role_bindings SET revoked_at = now() WHERE principal_id = $1`, w.here.member)
	boot := as[bootstrap](member.do("GET", "/v1/realtime/bootstrap", "").want(http.StatusOK))
	if len(boot.ResourceSubscriptions) != 0 || len(boot.SubscriptionTokens) != 0 || boot.ConnectionToken == "" {
		t.Errorf("got %+v, want a connection token only", boot)
	}
	body := fmt.Sprintf(`{"channels":[%q]}`, w.channels.Resource(w.here.id, w.here.signal))
	member.do("POST", "/v1/realtime/token", body).want(http.StatusForbidden)
}
