// Package clients connects thousands of people to Centrifugo, each with a token of its own and on its
// own channel, and cuts the connection of some for a while.
package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// Reception is one event that one person was given.
type Reception struct {
	Activity uuid.UUID
	At       time.Time
}

// Set is everybody's connections. Its methods are safe for concurrent use.
type Set struct {
	People []*Client

	received atomic.Int64
	foreign  atomic.Int64

	mu       sync.Mutex
	failures []error
}

// Connect connects everybody, as many at once as a few, and returns when all are on their channels.
func Connect(ctx context.Context, people []*Client, webSocketURL string, tokens *centrifugo.Tokens) (*Set, error) {
	const atOnce = 50
	c := &Set{People: people}
	door := make(chan struct{}, atOnce)
	for _, p := range people {
		select {
		case door <- struct{}{}:
		case <-ctx.Done():
			c.Close()
			return nil, ctx.Err()
		}
		if err := p.connect(c, webSocketURL, tokens, sync.OnceFunc(func() { <-door })); err != nil {
			c.Close()
			return nil, err
		}
	}
	for range atOnce { // the last ones
		select {
		case door <- struct{}{}:
		case <-time.After(time.Minute):
			c.Close()
			return nil, errors.Join(append(c.Failures(), errors.New("not everybody got a channel"))...)
		}
	}
	return c, nil
}

// Received is how many events have arrived.
func (c *Set) Received() int64 { return c.received.Load() }

// Foreign is how many of them were of a tenant that is not the person's.
func (c *Set) Foreign() int64 { return c.foreign.Load() }

// Failures are the first of those that connections had, apart from being cut.
func (c *Set) Failures() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]error(nil), c.failures...)
}

func (c *Set) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.failures) < 10 {
		c.failures = append(c.failures, err)
	}
}

// Together waits until everybody is connected.
func (c *Set) Together(ctx context.Context, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		away := 0
		for _, p := range c.People {
			if !p.here.Load() {
				away++
			}
		}
		switch {
		case away == 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return errors.Join(append(c.Failures(), fmt.Errorf("%d people have not come back", away))...)
		}
	}
}

// Close disconnects everybody.
func (c *Set) Close() {
	for _, p := range c.People {
		if p.client != nil {
			p.client.Close()
		}
	}
}

// receive notes an event. Messages of other kinds have no id.
func (c *Set) receive(p *Client, data []byte) {
	now := time.Now()
	var event struct {
		EventID  uuid.UUID `json:"event_id"`
		TenantID uuid.UUID `json:"tenant_id"`
	}
	if err := json.Unmarshal(data, &event); err != nil {
		c.fail(fmt.Errorf("%s got %q: %w", p.Principal, data, err))
		return
	}
	if event.EventID == uuid.Nil {
		return
	}
	if event.TenantID != p.Tenant {
		c.foreign.Add(1)
	}
	p.mu.Lock()
	p.receptions = append(p.receptions, Reception{event.EventID, now})
	p.mu.Unlock()
	c.received.Add(1)
}
