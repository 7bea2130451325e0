package demo

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// message is a message that a client received.
type message struct {
	principal activity.Principal
	channel   string // activity.ToUser for the client's own channel, ToResource, ToTenant, or another name
	event     activity.Event
	unread    *int // an unread count instead of an event
	at        time.Time
}

// receiver collects the messages of all clients. It is safe for concurrent use.
type receiver struct {
	channels *centrifugo.Channels
	arrived  chan struct{} // contains a value when there are messages to take

	mu       sync.Mutex
	messages []message
}

func newReceiver(channels *centrifugo.Channels) *receiver {
	return &receiver{channels: channels, arrived: make(chan struct{}, 1)}
}

func (r *receiver) receive(m clients.Message) {
	received := message{principal: m.Principal, channel: m.Channel, at: m.At}
	switch tenant := m.Principal.TenantID; m.Channel {
	case r.channels.User(m.Principal):
		received.channel = activity.ToUser
	case r.channels.Resource(tenant, resourceID(momentum)):
		received.channel = activity.ToResource
	case r.channels.Tenant(tenant):
		received.channel = activity.ToTenant
	}
	var count struct {
		Type  string `json:"type"`
		Count *int   `json:"unread_count"`
	}
	if json.Unmarshal(m.Data, &count) == nil && count.Type == "inbox.changed" {
		received.unread = count.Count
	} else if err := json.Unmarshal(m.Data, &received.event); err != nil {
		received.event = activity.Event{Action: "unreadable: " + err.Error()}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, received)
	select {
	case r.arrived <- struct{}{}:
	default:
	}
}

// countTimeout limits the wait for unread counts, which the API publishes after its response.
const countTimeout = 2 * time.Second

// awaitCounts waits until each of the principals has received an unread count, for countTimeout at
// most.
func (r *receiver) awaitCounts(ctx context.Context, principals []activity.Principal) error {
	timeout := time.NewTimer(countTimeout)
	defer timeout.Stop()
	for !r.hasCounts(principals) {
		select {
		case <-r.arrived:
		case <-timeout.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *receiver) hasCounts(principals []activity.Principal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !slices.ContainsFunc(principals, func(p activity.Principal) bool {
		return !slices.ContainsFunc(r.messages, func(m message) bool { return m.principal == p && m.unread != nil })
	})
}

// take returns the messages since the previous call.
func (r *receiver) take() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.messages
	r.messages = nil
	return taken
}
