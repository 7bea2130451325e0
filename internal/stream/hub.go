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
	"github.com/fanfarehq/fanfare/internal/frontier"
)

// The reasons for which a reader is dropped. Their texts are sent to clients.
var (
	ErrSlow   = errors.New("too slow: the reader did not keep up with the stream")
	ErrLost   = errors.New("interrupted: reconnect with the id of the last event to continue")
	ErrClosed = errors.New("closing: the server is shutting down")
)

// Tokens issues the daemon's own tokens. *centrifugo.Tokens implements it.
type Tokens interface {
	Connection(p activity.Principal) (token string, expires time.Time)
	Subscription(p activity.Principal, channel string) (token string, expires time.Time)
}

// History reads the history of a channel. *centrifugo.Client implements it.
type History interface {
	History(
		ctx context.Context,
		channel string,
		after centrifugo.Position,
		limit int,
	) ([]centrifugo.Publication, centrifugo.Position, error)
	// Top returns the current position of a channel.
	Top(ctx context.Context, channel string) (centrifugo.Position, error)
}

// Log reads the activity log. *Recorded implements it.
type Log interface {
	// Since returns the events of a tenant's stream after an id, in the order of their ids.
	Since(ctx context.Context, r SinceRequest) (SincePage, error)
	// Settled returns a time before which every activity was recorded that is committed and not
	// pending, or never will be committed. f follows the transactions from call to call.
	Settled(ctx context.Context, f *frontier.Frontier) (time.Time, error)
}

// SinceRequest selects events of the activity log.
type SinceRequest struct {
	Tenant uuid.UUID
	After  uuid.UUID // the id before the first event
	Limit  int       // the maximum number of events
}

// SincePage is a page of events.
type SincePage struct {
	Events []activity.Event
	Next   uuid.UUID // SinceRequest.After of the next page
	More   bool      // whether there may be a next page
}

// Options configure a Hub. Logger, Buffer, Settle and Idle may be zero.
type Options struct {
	WebSocketURL string // of Centrifugo's clients: ws://host:8000/connection/websocket
	Tokens       Tokens
	Channel      func(tenant uuid.UUID) string // returns the channel of a tenant
	History      History
	Log          Log
	Logger       *zap.Logger
	Buffer       int           // the maximum number of events that a reader buffers; default 256
	Settle       time.Duration // interval at which positions advance without events; default 5 s
	Idle         time.Duration // minimum lifetime of a tenant's subscription without readers; default 30 s
}

// Hub holds one connection to Centrifugo and one subscription for each tenant that has readers.
type Hub struct {
	opts   Options
	self   uuid.UUID // the daemon's user id in Centrifugo
	client *centrifuge.Client

	mu         sync.Mutex
	feeds      map[uuid.UUID]*feed
	settled    time.Time // every activity that was recorded before is settled
	closed     bool
	lastWarned time.Time
}

// New returns a Hub. Run connects it.
func New(o Options) *Hub {
	if o.Buffer <= 0 {
		o.Buffer = 256
	}
	if o.Settle <= 0 {
		o.Settle = 5 * time.Second
	}
	if o.Idle <= 0 {
		o.Idle = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	h := &Hub{
		opts: o, self: uuid.New(), feeds: map[uuid.UUID]*feed{}, settled: time.Now().Add(-unknownSettled),
	}
	h.client = centrifuge.NewJsonClient(o.WebSocketURL, centrifuge.Config{
		Name: "fanfare", MaxReconnectDelay: 2 * time.Second,
		GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
			token, _ := o.Tokens.Connection(activity.Principal{PrincipalID: h.self})
			return token, nil
		},
	})
	h.client.OnError(func(e centrifuge.ErrorEvent) { h.warn(e.Error) })
	h.client.OnDisconnected(func(e centrifuge.DisconnectedEvent) {
		if e.Code != 0 { // 0: the hub has closed it
			h.warn(fmt.Errorf("disconnected: %s (%d)", e.Reason, e.Code))
		}
	})
	return h
}

// warn logs that Centrifugo is unavailable, at most once a minute, because the client retries every
// two seconds.
func (h *Hub) warn(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); now.Sub(h.lastWarned) > time.Minute {
		h.lastWarned = now
		h.opts.Logger.Warn("streams: Centrifugo is unavailable", zap.Error(err))
	}
}

// Run keeps the connection until ctx ends, then drops all readers and returns nil. It reconnects
// whenever Centrifugo is unavailable or disconnects it.
func (h *Hub) Run(ctx context.Context) error {
	h.connect()
	done := make(chan struct{})
	go func() { defer close(done); h.settle(ctx) }()
	defer func() { <-done }()
	idle, disconnected := time.NewTicker(h.opts.Idle), time.NewTicker(reconnectInterval)
	defer idle.Stop()
	defer disconnected.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-idle.C:
			h.prune()
		case <-disconnected.C:
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

// Close closes the connection of a hub that does not run.
func (h *Hub) Close() { h.client.Close() }

// unknownSettled is the age up to which an activity may be pending before the hub knows better.
const unknownSettled = 24 * time.Hour

// settle finds out at intervals which activities are settled, until ctx ends. Without that, which
// the database decides, streams go on; only their positions do not advance in the log.
func (h *Hub) settle(ctx context.Context) {
	ticker := time.NewTicker(h.opts.Settle)
	defer ticker.Stop()
	var transactions frontier.Frontier
	for failing := false; ctx.Err() == nil; {
		before, err := h.opts.Log.Settled(ctx, &transactions)
		switch {
		case err == nil:
			h.settleFeeds(ctx, before)
		case ctx.Err() == nil && !failing:
			h.opts.Logger.Warn("streams: cannot find out which activities are settled", zap.Error(err))
		}
		failing = err != nil
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// settleFeeds advances the positions of the feeds that have readers. An activity that is settled
// was published, so the channel's position afterwards covers it.
func (h *Hub) settleFeeds(ctx context.Context, before time.Time) {
	h.mu.Lock()
	h.settled = later(h.settled, before)
	feeds := make(map[uuid.UUID]*feed, len(h.feeds))
	for tenant, f := range h.feeds {
		if f.len() > 0 {
			feeds[tenant] = f
		}
	}
	h.mu.Unlock()
	for tenant, f := range feeds {
		top, err := h.opts.History.Top(ctx, h.opts.Channel(tenant))
		if err != nil {
			return // the next time; the client of the hub logs that Centrifugo is unavailable
		}
		f.settle(settled{before: before, epoch: top.Epoch, offset: top.Offset})
	}
}

// reconnectInterval is the interval at which the hub reconnects after a disconnect that the client
// does not recover from by itself.
const reconnectInterval = 2 * time.Second

// connect starts to connect. The client retries by itself unless the server forbids it.
func (h *Hub) connect() {
	if err := h.client.Connect(); err != nil {
		h.warn(err)
	}
}

// Readers returns the number of readers.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, f := range h.feeds {
		n += f.len()
	}
	return n
}

// Follow returns a reader of a tenant's stream, from now on or, unless after is nil, from after a
// position. The caller must close it.
func (h *Hub) Follow(ctx context.Context, tenant uuid.UUID, after *Position) (*Reader, error) {
	r := &Reader{hub: h, tenant: tenant, live: make(chan *Event, h.opts.Buffer), dropped: make(chan struct{})}
	f, before, err := h.join(tenant, r)
	if err != nil {
		return nil, err
	}
	r.feed = f
	select {
	case <-f.ready:
	case <-r.dropped:
		r.Close()
		return nil, r.reason
	case <-ctx.Done():
		r.Close()
		return nil, fmt.Errorf("wait for Centrifugo: %w", ctx.Err())
	}
	r.start(after, before)
	return r, nil
}

// join adds a reader to its tenant's feed, which it opens if there is none. The reader receives the
// events from then on. It also returns a time before which every activity is settled.
func (h *Hub) join(tenant uuid.UUID, r *Reader) (*feed, time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, time.Time{}, ErrClosed
	}
	f, ok := h.feeds[tenant]
	if !ok {
		var err error
		if f, err = h.open(tenant); err != nil {
			return nil, time.Time{}, err
		}
		h.feeds[tenant] = f
	}
	f.add(r)
	return f, h.settled, nil
}

// open subscribes to a tenant's channel.
func (h *Hub) open(tenant uuid.UUID) (*feed, error) {
	channel := h.opts.Channel(tenant)
	f := &feed{
		readers: map[*Reader]struct{}{}, ready: make(chan struct{}), settled: settled{before: h.settled},
	}
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
		h.opts.Logger.Warn("streams: subscription failed", zap.String("channel", channel), zap.Error(e.Error))
	})
	sub.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { f.dropAll(ErrLost) })
	if err := sub.Subscribe(); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", channel, err)
	}
	return f, nil
}

// leave removes a reader. Its feed stays open for a while, because interrupted readers reconnect
// soon.
func (h *Hub) leave(r *Reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.feeds[r.tenant]; f != nil && f == r.feed {
		f.remove(r)
	}
}

// prune closes the feeds that have had no reader since the last call.
func (h *Hub) prune() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for tenant, f := range h.feeds {
		if !f.idle() {
			continue
		}
		delete(h.feeds, tenant)
		if err := errors.Join(f.sub.Unsubscribe(), h.client.RemoveSubscription(f.sub)); err != nil {
			h.opts.Logger.Warn("streams: unsubscribing failed", zap.Error(err))
		}
	}
}
