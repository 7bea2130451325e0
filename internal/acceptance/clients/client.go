package clients

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// Client is one client: a principal of a tenant.
type Client struct {
	Tenant, Principal uuid.UUID

	client *centrifuge.Client
	here   atomic.Bool // on the channel
	left   atomic.Int64
	gaps   atomic.Int64

	mu         sync.Mutex
	receptions []Reception
	line       net.Conn
	awayUntil  time.Time
}

var errAway = errors.New("cut off for a while")

// Left is how often the person has lost the connection.
func (p *Client) Left() int64 { return p.left.Load() }

// Gaps is how often Centrifugo said that its history could not make up for an absence.
func (p *Client) Gaps() int64 { return p.gaps.Load() }

// Receptions returns what the person was given, in the order of arrival.
func (p *Client) Receptions() []Reception {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Reception(nil), p.receptions...)
}

// Cut breaks the connection, as a network does, and lets the client make no other for a while.
func (p *Client) Cut(away time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.awayUntil = time.Now().Add(away)
	if p.line != nil {
		_ = p.line.Close()
	}
}

// connect begins to. in is called once the person is on the channel.
func (p *Client) connect(c *Set, url string, tokens *centrifugo.Tokens, in func()) error {
	p.client = centrifuge.NewJsonClient(url, centrifuge.Config{
		GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
			token, _ := tokens.Connection(p.Tenant, p.Principal)
			return token, nil
		},
		NetDialContext:    p.dial,
		ReadTimeout:       20 * time.Second,
		WriteTimeout:      10 * time.Second,
		HandshakeTimeout:  20 * time.Second,
		MinReconnectDelay: 100 * time.Millisecond,
		MaxReconnectDelay: time.Second,
	})
	p.client.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		if e.WasRecovering && !e.Recovered {
			p.gaps.Add(1)
		}
		p.here.Store(true)
		in()
	})
	p.client.OnConnecting(func(centrifuge.ConnectingEvent) {
		if p.here.Swap(false) {
			p.left.Add(1)
		}
	})
	p.client.OnError(func(e centrifuge.ErrorEvent) {
		if !errors.Is(e.Error, errAway) && !p.cut() {
			c.fail(e.Error)
		}
	})
	p.client.OnPublication(func(e centrifuge.ServerPublicationEvent) { c.receive(p, e.Data) })
	return p.client.Connect()
}

// cut reports whether the connection was ever cut on purpose; what goes wrong after that is no
// wonder.
func (p *Client) cut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.awayUntil.IsZero()
}

func (p *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	away := time.Now().Before(p.awayUntil)
	p.mu.Unlock()
	if away {
		return nil, errAway
	}
	line, err := (&net.Dialer{}).DialContext(ctx, network, address)
	p.mu.Lock()
	p.line = line
	p.mu.Unlock()
	return line, err
}
