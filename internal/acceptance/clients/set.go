// Package clients connects WebSocket clients to Centrifugo as browsers connect: each with a token
// of its own and on its own channel. It connects thousands, interrupts connections, and detects
// with a barrier that every client has received what was published.
package clients

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

const (
	connectTimeout       = time.Minute
	concurrentHandshakes = 50
	maxFailures          = 10 // that are kept
)

// Options describe the server that a Set connects to.
type Options struct {
	WebSocketURL string
	Channels     *centrifugo.Channels
	Publisher    *centrifugo.Client // publishes barriers

	// Timeout is the time that a client waits for the server; default 5 s.
	Timeout time.Duration
	// OnMessage, if set, is called with each message but barriers, in the order of arrival at each
	// client and concurrently for different clients.
	OnMessage func(Message)
}

// Message is a publication that a client received.
type Message struct {
	Principal activity.Principal
	Channel   string // the name of the channel
	Data      []byte
	At        time.Time
}

// Set is a set of connected clients. Its methods are safe for concurrent use, apart from Connect
// and Close.
type Set struct {
	Clients []*Client

	options  Options
	received atomic.Int64

	mu       sync.Mutex
	failures []error
	barriers map[string]*barrier
}

// New returns an empty set.
func New(o Options) *Set {
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	return &Set{options: o, barriers: map[string]*barrier{}}
}

// Connect adds clients and returns when each is subscribed to its channels. After an error, too,
// Close must be called.
func (s *Set) Connect(ctx context.Context, configs []Config) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	slots := make(chan struct{}, concurrentHandshakes)
	take := func() error {
		select {
		case slots <- struct{}{}:
			return nil
		case <-ctx.Done():
			return errors.Join(append(s.Failures(), fmt.Errorf("connect %d clients: %w", len(configs), ctx.Err()))...)
		}
	}
	for _, config := range configs {
		if err := take(); err != nil {
			return err
		}
		c := &Client{Principal: config.Principal, set: s}
		s.Clients = append(s.Clients, c)
		if err := c.connect(config, sync.OnceFunc(func() { <-slots })); err != nil {
			return fmt.Errorf("connect principal %s: %w", config.Principal.PrincipalID, err)
		}
	}
	for range concurrentHandshakes { // the remaining handshakes
		if err := take(); err != nil {
			return err
		}
	}
	return nil
}

// Received returns the number of activities that the clients have received on their own channels.
func (s *Set) Received() int64 { return s.received.Load() }

// Drain returns the histories of all clients and forgets what they received.
func (s *Set) Drain() []History {
	list := make([]History, len(s.Clients))
	for i, c := range s.Clients {
		list[i] = c.drain()
	}
	return list
}

// Failures returns the first errors of connections that were not interrupted on purpose.
func (s *Set) Failures() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.failures)
}

func (s *Set) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) < maxFailures {
		s.failures = append(s.failures, err)
	}
}

// AwaitConnected returns when every client is connected.
func (s *Set) AwaitConnected(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		disconnected := 0
		for _, c := range s.Clients {
			if !c.connected.Load() {
				disconnected++
			}
		}
		if disconnected == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			err := fmt.Errorf("wait for %d disconnected clients: %w", disconnected, ctx.Err())
			return errors.Join(append(s.Failures(), err)...)
		}
	}
}

// Close disconnects all clients.
func (s *Set) Close() {
	for _, c := range s.Clients {
		if c.conn != nil {
			c.conn.Close()
		}
	}
}

// receive records a message.
func (s *Set) receive(c *Client, channel string, data []byte) {
	m := Message{Principal: c.Principal, Channel: channel, Data: data, At: time.Now()}
	var event struct {
		Barrier  string    `json:"barrier"`
		EventID  uuid.UUID `json:"event_id"`
		TenantID uuid.UUID `json:"tenant_id"`
		Resource struct {
			ID uuid.UUID `json:"resource_id"`
		} `json:"resource"`
		Payload struct {
			Version int64 `json:"version"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(data, &event); err != nil {
		s.fail(fmt.Errorf("principal %s received %q: %w", c.Principal.PrincipalID, data, err))
		return
	}
	if event.Barrier != "" {
		s.pass(event.Barrier, c)
		return
	}
	if event.EventID != uuid.Nil && channel == c.channel {
		c.record(Reception{
			Activity: event.EventID, TenantID: event.TenantID, Resource: event.Resource.ID,
			Version: event.Payload.Version, At: m.At,
		})
		s.received.Add(1)
	}
	if s.options.OnMessage != nil {
		s.options.OnMessage(m)
	}
}
