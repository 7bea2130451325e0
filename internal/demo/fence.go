package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/watchers"
)

// fence is a message that everybody is waiting for.
type fence struct {
	missing map[watchers.Principal]bool
	passed  chan struct{} // closed when nobody is missing
}

// fence sends everyone a message and returns when all have it. Centrifugo keeps the order of what
// goes to one client, so whatever was published before has then arrived, or never will.
func (l *listeners) fence(ctx context.Context) error {
	name := uuid.NewString()
	f := &fence{missing: map[watchers.Principal]bool{}, passed: make(chan struct{})}
	broadcast := centrifugo.Broadcast{Data: fmt.Appendf(nil, `{"fence":%q}`, name)}
	for _, ear := range l.ears {
		f.missing[ear] = true
		broadcast.Channels = append(broadcast.Channels, l.channels.User(ear.TenantID, ear.PrincipalID))
	}
	l.mu.Lock()
	l.fences[name] = f
	l.mu.Unlock()
	if err := l.publisher.Publish(ctx, []centrifugo.Broadcast{broadcast})[0].Err; err != nil {
		return fmt.Errorf("publish to every listener: %w", err)
	}
	select {
	case <-f.passed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for every listener: %s hear nothing: %w", l.missing(f), ctx.Err())
	}
}

func (l *listeners) missing(f *fence) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for ear := range maps.Keys(f.missing) {
		names = append(names, l.channels.User(ear.TenantID, ear.PrincipalID))
	}
	return strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

// readFence tells whether a message is a fence, and which.
func readFence(data []byte) (name string, is bool) {
	var message struct{ Fence string }
	err := json.Unmarshal(data, &message)
	return message.Fence, err == nil && message.Fence != ""
}

// pass notes that somebody has a fence.
func (l *listeners) pass(name string, ear watchers.Principal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.fences[name]
	if f == nil {
		return
	}
	delete(f.missing, ear)
	if len(f.missing) == 0 {
		close(f.passed)
		delete(l.fences, name)
	}
}
