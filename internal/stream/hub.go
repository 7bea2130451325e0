// Package stream lets many readers follow tenants' activity streams over one connection to
// Centrifugo.
//
// It fans nothing out by itself: what is in a stream, and in which order, is what Centrifugo
// delivers on the tenant's channel. A reader that comes back is given what Centrifugo's history has
// since its last event; where the history does not reach back, the stream continues from the log.
//
// Invariants:
// - A reader is given every event of its tenant's channel after its position, in order, or is
// dropped and told why.
// - A reader holds at most Buffer events; one that does not keep up is dropped, and may come back
// with its last position.
package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// Why a reader was dropped.
var (
	ErrSlow   = errors.New("too slow: the reader did not keep up with the stream")
	ErrLost   = errors.New("interrupted: come back with the last event's id to continue")
	ErrClosed = errors.New("closing: the server is shutting down")
)

// Tokens make the daemon's own tokens; *centrifugo.Tokens does.
type Tokens interface {
	Connection(p activity.Principal) (token string, expires time.Time)
	Subscription(p activity.Principal, channel string) (token string, expires time.Time)
}

// History reads a channel's history; *centrifugo.Client does.
type History interface {
	History(
		ctx context.Context,
		channel string,
		after centrifugo.Position,
		limit int,
	) ([]centrifugo.Publication, centrifugo.Position, error)
}

// Log reads what was recorded.
type Log interface {
	// Since returns at most limit events of the tenant with ids above after, in the order of their
	// ids: those that its stream is or will be given. next is the id to go on after; more is false
	// at the end.
	Since(
		ctx context.Context,
		tenant, after uuid.UUID,
		limit int,
	) (events []activity.Event, next uuid.UUID, more bool, err error)
}

// Options of a Hub.
type Options struct {
	WebSocketURL string // where Centrifugo takes clients: ws://host:8000/connection/websocket
	Tokens       Tokens
	Channel      func(tenant uuid.UUID) string // names a tenant's stream
	History      History
	Log          Log
	Logger       *zap.Logger
	Buffer       int           // events that a reader may lag behind; default 256
	Overlap      time.Duration // how far the log is read back when it continues a stream; default 1 minute
	Idle         time.Duration // how long a tenant's subscription outlives its last reader, at least; default 30 s
}

// Hub holds one connection to Centrifugo and one subscription for each tenant that has readers.
type Hub struct {
	opts   Options
	self   uuid.UUID // who the daemon is to Centrifugo
	client *centrifuge.Client

	mu         sync.Mutex
	feeds      map[uuid.UUID]*feed
	closed     bool
	complained time.Time
}

// New makes a Hub. Run connects it.
func New(o Options) *Hub {
	if o.Buffer <= 0 {
		o.Buffer = 256
	}
	if o.Overlap <= 0 {
		o.Overlap = time.Minute
	}
	if o.Idle <= 0 {
		o.Idle = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	h := &Hub{opts: o, self: uuid.New(), feeds: map[uuid.UUID]*feed{}}
	h.client = centrifuge.NewJsonClient(o.WebSocketURL, centrifuge.Config{
		Name: "fanfare", MaxReconnectDelay: 2 * time.Second,
		GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
			token, _ := o.Tokens.Connection(activity.Principal{PrincipalID: h.self})
			return token, nil
		},
	})
	h.client.OnError(func(e centrifuge.ErrorEvent) { h.complain(e.Error) })
	h.client.OnDisconnected(func(e centrifuge.DisconnectedEvent) {
		if e.Code != 0 { // not our own doing
			h.complain(fmt.Errorf("disconnected: %s (%d)", e.Reason, e.Code))
		}
	})
	return h
}

// complain says that Centrifugo is away, once a minute at most: the client tries again every other
// second.
func (h *Hub) complain(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); now.Sub(h.complained) > time.Minute {
		h.complained = now
		h.opts.Logger.Warn("streams cannot reach Centrifugo", zap.Error(err))
	}
}

// Run keeps the connection until ctx ends, then drops all readers. A Centrifugo that is away, or
// refuses us, is tried again.
func (h *Hub) Run(ctx context.Context) error {
	h.connect()
	idle, refused := time.NewTicker(h.opts.Idle), time.NewTicker(reconnect)
	defer idle.Stop()
	defer refused.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-idle.C:
			h.prune()
		case <-refused.C:
			if h.client.State() == centrifuge.StateDisconnected {
				h.connect()
			}
		}
	}
	h.mu.Lock()
	h.closed = true
	for _, f := range h.feeds {
		f.dropAll(ErrClosed)
	}
	h.mu.Unlock()
	h.client.Close()
	return nil
}

// reconnect is how soon a connection that the server has ended for good is tried again.
const reconnect = 2 * time.Second

// connect begins to connect. What goes wrong the client tries again by itself, unless the server
// says not to.
func (h *Hub) connect() {
	if err := h.client.Connect(); err != nil {
		h.complain(err)
	}
}

// Readers is how many there are.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, f := range h.feeds {
		n += f.len()
	}
	return n
}

// Follow gives a reader of a tenant's stream: from now on, or from after a position. The caller
// closes it.
func (h *Hub) Follow(ctx context.Context, tenant uuid.UUID, after *Position) (*Reader, error) {
	r := &Reader{hub: h, tenant: tenant, live: make(chan *Event, h.opts.Buffer), dropped: make(chan struct{})}
	f, err := h.join(tenant, r)
	if err != nil {
		return nil, err
	}
	r.feed = f
	select {
	case <-f.ready:
	case <-r.dropped:
		r.Close()
		return nil, r.why
	case <-ctx.Done():
		r.Close()
		return nil, fmt.Errorf("wait for Centrifugo: %w", ctx.Err())
	}
	r.start(after)
	return r, nil
}

// join adds a reader to its tenant's feed, which it makes if there is none. The reader gets what
// comes from then on.
func (h *Hub) join(tenant uuid.UUID, r *Reader) (*feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	f, ok := h.feeds[tenant]
	if !ok {
		var err error
		if f, err = h.open(tenant); err != nil {
			return nil, err
		}
		h.feeds[tenant] = f
	}
	f.add(r)
	return f, nil
}

func (h *Hub) open(tenant uuid.UUID) (*feed, error) {
	channel := h.opts.Channel(tenant)
	f := &feed{readers: map[*Reader]struct{}{}, ready: make(chan struct{})}
	sub, err := h.client.NewSubscription(channel, centrifuge.SubscriptionConfig{
		Recoverable: true,
		GetToken: func(centrifuge.SubscriptionTokenEvent) (string, error) {
			token, _ := h.opts.Tokens.Subscription(activity.Principal{PrincipalID: h.self}, channel)
			return token, nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", channel, err)
	}
	f.sub = sub
	sub.OnSubscribed(func(e centrifuge.SubscribedEvent) { f.subscribed(e) })
	sub.OnPublication(func(e centrifuge.PublicationEvent) { f.publish(e.Offset, e.Data) })
	sub.OnError(func(e centrifuge.SubscriptionErrorEvent) {
		h.opts.Logger.Warn("a stream cannot be followed", zap.String("channel", channel), zap.Error(e.Error))
	})
	sub.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { f.dropAll(ErrLost) })
	if err := sub.Subscribe(); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", channel, err)
	}
	return f, nil
}

// leave removes a reader. Its feed stays for a while: readers that were interrupted come back soon.
func (h *Hub) leave(r *Reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.feeds[r.tenant]; f != nil && f == r.feed {
		f.remove(r)
	}
}

// prune ends the feeds that nobody has read since the last time.
func (h *Hub) prune() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for tenant, f := range h.feeds {
		if !f.idle() {
			continue
		}
		delete(h.feeds, tenant)
		if err := errors.Join(f.sub.Unsubscribe(), h.client.RemoveSubscription(f.sub)); err != nil {
			h.opts.Logger.Warn("a stream cannot be left", zap.Error(err))
		}
	}
}
