package clients

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// barrier is a message that every client awaits.
type barrier struct {
	awaited map[*Client]bool
	passed  chan struct{} // closed when no client is awaited
}

// Barrier publishes a message to every client and returns when all have received it. Centrifugo
// keeps the order of the publications on a channel, so a client that was connected has then
// received everything that was published to it before.
func (s *Set) Barrier(ctx context.Context) error {
	name := uuid.NewString()
	b := &barrier{awaited: map[*Client]bool{}, passed: make(chan struct{})}
	message := centrifugo.Broadcast{Data: fmt.Appendf(nil, `{"barrier":%q}`, name)}
	for _, c := range s.Clients {
		b.awaited[c] = true
		message.Channels = append(message.Channels, c.channel)
	}
	if len(b.awaited) == 0 {
		return nil
	}
	s.mu.Lock()
	s.barriers[name] = b
	s.mu.Unlock()
	if err := s.options.Publisher.Publish(ctx, []centrifugo.Broadcast{message})[0].Err; err != nil {
		return fmt.Errorf("publish a barrier: %w", err)
	}
	select {
	case <-b.passed:
		return nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Errorf("%d of %d clients do not pass a barrier: %w", len(b.awaited), len(s.Clients), ctx.Err())
	}
}

// pass records that a client has received a barrier.
func (s *Set) pass(name string, c *Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.barriers[name]
	if b == nil {
		return
	}
	delete(b.awaited, c)
	if len(b.awaited) == 0 {
		close(b.passed)
		delete(s.barriers, name)
	}
}
