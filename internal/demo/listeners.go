package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge-go"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers"
)

// sound is one message that arrived on a socket.
type sound struct {
	ear     watchers.Principal // whose socket
	channel string             // its kind (activity.ToUser for the ear's own, ToResource, ToTenant), or the name of one that should not be
	event   activity.Event
	unread  *int // instead of the event: how much of the inbox is unread
	at      time.Time
}

// listeners are the clients: a WebSocket for each person who has one.
type listeners struct {
	publisher *centrifugo.Client
	channels  *centrifugo.Channels
	socketURL string
	api       *client // where the clients get their tokens
	login     login
	clients   []*centrifuge.Client
	ears      []watchers.Principal
	news      chan struct{} // holds one token when there is something to take

	mu     sync.Mutex
	heard  []sound
	fences map[string]*fence
}

func newListeners(
	socketURL string,
	api *client,
	login login,
	publisher *centrifugo.Client,
	channels *centrifugo.Channels,
) *listeners {
	return &listeners{
		socketURL: socketURL, api: api, login: login, publisher: publisher, channels: channels,
		news: make(chan struct{}, 1), fences: map[string]*fence{},
	}
}

// connect connects everyone who is not deaf, and subscribes the screens to the shared channels of
// Momentum 12. It returns when all of them hear.
func (l *listeners) connect(ctx context.Context, tenants []tenant) error {
	ready := make(chan struct{}, 64)
	awaited := 0
	for _, t := range tenants {
		for _, p := range t.people {
			if p.deaf {
				continue
			}
			n, err := l.open(ctx, t, p, ready)
			if err != nil {
				return fmt.Errorf("connect %s: %w", p.name, err)
			}
			awaited += n
		}
	}
	for range awaited {
		select {
		case <-ready:
		case <-ctx.Done():
			return fmt.Errorf("connect %d clients: %w", len(l.clients), ctx.Err())
		}
	}
	return nil
}

// open starts one client and returns how often it will say that it is ready.
func (l *listeners) open(ctx context.Context, t tenant, p person, ready chan<- struct{}) (awaited int, err error) {
	ear := watchers.Principal{TenantID: t.id, PrincipalID: p.id()}
	own := l.channels.User(t.id, p.id())
	given, err := l.passesOf(t, p)
	if err != nil {
		return 0, err
	}
	boot, err := given.bootstrap(ctx)
	if err != nil {
		return 0, err
	}
	if boot.InboxChannel != own {
		return 0, fmt.Errorf("the API says that %s is the inbox channel, and it is %s", boot.InboxChannel, own)
	}
	client := centrifuge.NewJsonClient(l.socketURL, centrifuge.Config{
		Token:    boot.ConnectionToken,
		GetToken: given.connection,
		Name:     "fanfare-demo",
		Proxy:    func(*http.Request) (*url.URL, error) { return nil, nil }, // it is on this machine
	})
	l.clients, l.ears = append(l.clients, client), append(l.ears, ear)
	var once sync.Once
	client.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		if e.Channel == own {
			once.Do(func() { ready <- struct{}{} })
		}
	})
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) {
		kind := activity.ToUser
		if e.Channel != own {
			kind = e.Channel
		}
		l.hear(ear, kind, e.Data)
	})
	awaited = 1
	if p.screen {
		for kind, channel := range map[string]string{
			activity.ToResource: l.channels.Resource(t.id, resourceID(momentum)),
			activity.ToTenant:   l.channels.Tenant(t.id),
		} {
			if err := l.subscribe(client, given, ear, kind, channel, ready); err != nil {
				return 0, err
			}
			awaited++
		}
	}
	return awaited, client.Connect()
}

// passesOf shows the API who somebody is. A screen shows the tenant's stream too, which takes a
// scope.
func (l *listeners) passesOf(t tenant, p person) (passes, error) {
	var scopes []string
	if p.screen {
		scopes = append(scopes, identity.ScopeRead)
	}
	token, err := l.login.token(t.id, p.id(), scopes...)
	return passes{l.api, token}, err
}

func (l *listeners) subscribe(
	client *centrifuge.Client,
	given passes,
	ear watchers.Principal,
	kind, channel string,
	ready chan<- struct{},
) error {
	subscription, err := client.NewSubscription(channel, centrifuge.SubscriptionConfig{GetToken: given.subscription})
	if err != nil {
		return err
	}
	var once sync.Once
	subscription.OnSubscribed(func(centrifuge.SubscribedEvent) { once.Do(func() { ready <- struct{}{} }) })
	subscription.OnPublication(func(e centrifuge.PublicationEvent) { l.hear(ear, kind, e.Data) })
	return subscription.Subscribe()
}

// hear is called by the clients, each from a goroutine of its own.
func (l *listeners) hear(ear watchers.Principal, channel string, data []byte) {
	at := time.Now()
	if name, is := readFence(data); is {
		l.pass(name, ear)
		return
	}
	heard := sound{ear: ear, channel: channel, unread: readUnread(data), at: at}
	if heard.unread == nil {
		if err := json.Unmarshal(data, &heard.event); err != nil {
			heard.channel = fmt.Sprintf("%s (unreadable: %v)", channel, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, heard)
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// readUnread returns the unread count that a message tells of, or nil.
func readUnread(data []byte) *int {
	var message struct {
		Type  string `json:"type"`
		Count *int   `json:"unread_count"`
	}
	if json.Unmarshal(data, &message) != nil || message.Type != "inbox.unread_count" {
		return nil
	}
	return message.Count
}

// take returns what was heard since the last time.
func (l *listeners) take() []sound {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = nil
	return heard
}

// close ends all clients.
func (l *listeners) close() {
	for _, client := range l.clients {
		client.Close()
	}
}
