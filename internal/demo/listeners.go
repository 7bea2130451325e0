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
	"github.com/fanfarehq/fanfare/watchers"
)

// tokenLifetime outlasts a demo that is kept for a working day.
const tokenLifetime = 24 * time.Hour

// sound is one message that arrived on a socket.
type sound struct {
	ear     watchers.Principal // whose socket
	channel string             // its kind (activity.ToUser for the ear's own, ToResource, ToTenant), or the name of one that should not be
	event   activity.Event
	at      time.Time
}

// listeners are the clients: a WebSocket for each person who has one.
type listeners struct {
	publisher *centrifugo.Client
	channels  *centrifugo.Channels
	socketURL string
	tokens    *centrifugo.Tokens
	clients   []*centrifuge.Client
	ears      []watchers.Principal
	news      chan struct{} // holds one token when there is something to take

	mu     sync.Mutex
	heard  []sound
	fences map[string]*fence
}

func newListeners(socketURL, secret string, publisher *centrifugo.Client, channels *centrifugo.Channels) (*listeners, error) {
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: secret, ConnectionTTL: tokenLifetime, SubscriptionTTL: tokenLifetime})
	return &listeners{
		socketURL: socketURL, tokens: tokens, publisher: publisher, channels: channels,
		news: make(chan struct{}, 1), fences: map[string]*fence{},
	}, err
}

// connect connects everyone who is not deaf, and subscribes the screens to the shared channels of Momentum 12. It returns when
// all of them hear.
func (l *listeners) connect(ctx context.Context, tenants []tenant) error {
	ready := make(chan struct{}, 64)
	awaited := 0
	for _, t := range tenants {
		for _, p := range t.people {
			if p.deaf {
				continue
			}
			n, err := l.open(t, p, ready)
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
func (l *listeners) open(t tenant, p person, ready chan<- struct{}) (awaited int, err error) {
	ear := watchers.Principal{TenantID: t.id, PrincipalID: p.id()}
	own := l.channels.User(t.id, p.id())
	token, _ := l.tokens.Connection(t.id, p.id())
	client := centrifuge.NewJsonClient(l.socketURL, centrifuge.Config{
		Token: token,
		Name:  "fanfare-demo",
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }, // it is on this machine
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
			if err := l.subscribe(client, ear, kind, channel, ready); err != nil {
				return 0, err
			}
			awaited++
		}
	}
	return awaited, client.Connect()
}

func (l *listeners) subscribe(client *centrifuge.Client, ear watchers.Principal, kind, channel string, ready chan<- struct{}) error {
	token, _ := l.tokens.Subscription(ear.TenantID, ear.PrincipalID, channel)
	subscription, err := client.NewSubscription(channel, centrifuge.SubscriptionConfig{Token: token})
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
	var event activity.Event
	if err := json.Unmarshal(data, &event); err != nil {
		channel = fmt.Sprintf("%s (unreadable: %v)", channel, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, sound{ear: ear, channel: channel, event: event, at: at})
	select {
	case l.news <- struct{}{}:
	default:
	}
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
