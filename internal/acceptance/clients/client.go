package clients

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// Config describes one client.
type Config struct {
	Principal activity.Principal
	// ConnectionToken returns a token for connecting; it is called again before the token expires.
	ConnectionToken func() (string, error)
	// Shared are the names of the channels that the client subscribes to besides its own.
	Shared []string
	// SubscriptionToken returns a token for one of Shared; it is called again before it expires.
	SubscriptionToken func(channel string) (string, error)
}

// Client is one connection: that of a principal. Its methods are safe for concurrent use.
type Client struct {
	Principal activity.Principal

	set         *Set
	channel     string // its own
	conn        *centrifuge.Client
	connected   atomic.Bool // to its own channel
	disconnects atomic.Int64
	gaps        atomic.Int64

	mu         sync.Mutex
	receptions []Reception
	network    net.Conn
	cutUntil   time.Time
}

// Reception is an activity that a client received on its own channel.
type Reception struct {
	Activity, TenantID, Resource uuid.UUID
	Version                      int64 // of the payload; 0 if it has none
	At                           time.Time
}

// History is what a client received since the previous Drain, and how often its connection was lost
// since it was opened.
type History struct {
	Principal   activity.Principal
	Receptions  []Reception // in the order of arrival
	Disconnects int
	Gaps        int // reconnects at which Centrifugo's history did not reach back far enough
}

// drain returns the history and forgets its receptions.
func (c *Client) drain() History {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := History{
		Principal: c.Principal, Receptions: c.receptions,
		Disconnects: int(c.disconnects.Load()), Gaps: int(c.gaps.Load()),
	}
	c.receptions = nil
	return h
}

// Cut closes the network connection, as an outage does, and refuses to open another one for d.
func (c *Client) Cut(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutUntil = time.Now().Add(d)
	if c.network != nil {
		_ = c.network.Close()
	}
}

var errCut = errors.New("the connection is cut")

// connect starts to connect. ready is called when the client is subscribed to all of its channels.
func (c *Client) connect(config Config, ready func()) error {
	c.channel = c.set.options.Channels.User(config.Principal)
	var pending atomic.Int64
	pending.Store(int64(1 + len(config.Shared)))
	subscribed := func() func() {
		return sync.OnceFunc(func() {
			if pending.Add(-1) == 0 {
				ready()
			}
		})
	}
	c.conn = centrifuge.NewJsonClient(c.set.options.WebSocketURL, centrifuge.Config{
		GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) { return config.ConnectionToken() },
		Name:     "fanfare-acceptance",
		Proxy:    func(*http.Request) (*url.URL, error) { return nil, nil }, // the server is on this machine

		NetDialContext:    c.dial,
		ReadTimeout:       c.set.options.Timeout,
		WriteTimeout:      c.set.options.Timeout,
		HandshakeTimeout:  c.set.options.Timeout,
		MinReconnectDelay: 100 * time.Millisecond,
		MaxReconnectDelay: time.Second,
	})
	own := subscribed()
	c.conn.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		if e.Channel != c.channel {
			return
		}
		if e.WasRecovering && !e.Recovered {
			c.gaps.Add(1)
		}
		c.connected.Store(true)
		own()
	})
	c.conn.OnConnecting(func(centrifuge.ConnectingEvent) {
		if c.connected.Swap(false) {
			c.disconnects.Add(1)
		}
	})
	c.conn.OnError(func(e centrifuge.ErrorEvent) {
		if !errors.Is(e.Error, errCut) && !c.wasCut() {
			c.set.fail(e.Error)
		}
	})
	c.conn.OnPublication(func(e centrifuge.ServerPublicationEvent) { c.set.receive(c, e.Channel, e.Data) })
	for _, channel := range config.Shared {
		if err := c.subscribe(channel, config.SubscriptionToken, subscribed()); err != nil {
			return err
		}
	}
	return c.conn.Connect()
}

func (c *Client) subscribe(channel string, token func(channel string) (string, error), subscribed func()) error {
	sub, err := c.conn.NewSubscription(channel, centrifuge.SubscriptionConfig{
		GetToken: func(e centrifuge.SubscriptionTokenEvent) (string, error) { return token(e.Channel) },
	})
	if err != nil {
		return err
	}
	sub.OnSubscribed(func(centrifuge.SubscribedEvent) { subscribed() })
	sub.OnError(func(e centrifuge.SubscriptionErrorEvent) { c.set.fail(e.Error) })
	sub.OnPublication(func(e centrifuge.PublicationEvent) { c.set.receive(c, channel, e.Data) })
	return sub.Subscribe()
}

func (c *Client) record(r Reception) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.receptions = append(c.receptions, r)
}

// wasCut reports whether the connection was ever cut on purpose; later errors are a consequence.
func (c *Client) wasCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.cutUntil.IsZero()
}

func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	cut := time.Now().Before(c.cutUntil)
	c.mu.Unlock()
	if cut {
		return nil, errCut
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	c.mu.Lock()
	c.network = conn
	c.mu.Unlock()
	return conn, err
}
