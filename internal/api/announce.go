package api

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Publisher publishes to channels. *centrifugo.Client implements it.
type Publisher interface {
	Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result
}

// The bounds of an announcer.
const (
	announceTimeout = time.Second // of one announcement
	announcing      = 2           // at the same time
	maxAnnounced    = 10_000      // principals that wait; the changes of others are not announced
)

// announcer tells the clients of a principal that its inbox has changed, beside the requests that
// change it, which never wait for it. It announces a principal's changes one after the other, and
// many changes once. Changes that it cannot announce are logged: clients get the count with their
// next request.
type announcer struct {
	publish func(ctx context.Context, principal activity.Principal) error
	log     *zap.Logger

	mu      sync.Mutex
	queue   []activity.Principal
	known   map[activity.Principal]bool // waiting (true) or announced at the moment (false)
	running int
	closed  bool
	done    sync.WaitGroup
}

// newAnnouncer returns an announcer that publishes the unread count of a principal.
func newAnnouncer(publish func(context.Context, activity.Principal) error, log *zap.Logger) *announcer {
	return &announcer{publish: publish, log: log, known: map[activity.Principal]bool{}}
}

// announce announces soon that the principal's inbox has changed. It does not wait.
func (a *announcer) announce(principal activity.Principal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	waiting, known := a.known[principal]
	if a.closed || waiting || !known && len(a.known) >= maxAnnounced {
		return
	}
	a.known[principal] = true
	if known { // its announcement is under way, and is repeated
		return
	}
	a.queue = append(a.queue, principal)
	if a.running < announcing {
		a.running++
		a.done.Go(a.run)
	}
}

// run announces until none waits.
func (a *announcer) run() {
	for {
		a.mu.Lock()
		if len(a.queue) == 0 || a.closed {
			a.running--
			a.mu.Unlock()
			return
		}
		principal := a.queue[0]
		a.queue = a.queue[1:]
		a.known[principal] = false
		a.mu.Unlock()

		if err := a.try(principal); err != nil {
			a.log.Warn("a change of an inbox could not be announced", zap.Error(err),
				zap.Stringer("tenant_id", principal.TenantID), zap.Stringer("principal_id", principal.PrincipalID))
		}

		a.mu.Lock()
		if a.known[principal] { // it has changed again
			a.queue = append(a.queue, principal)
		} else {
			delete(a.known, principal)
		}
		a.mu.Unlock()
	}
}

// try announces the change of one inbox. A panic must not end the process.
func (a *announcer) try(principal activity.Principal) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), announceTimeout)
	defer cancel()
	return a.publish(ctx, principal)
}

// close drops what waits and returns when nothing is under way, after announceTimeout at the
// latest.
func (a *announcer) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.done.Wait()
}

// announceChange announces that the caller's inbox has changed, if there is a Publisher.
func (s *Server) announceChange(principal activity.Principal) {
	if s.publisher != nil {
		s.announcer.announce(principal)
	}
}

// publishUnread publishes the unread count on the principal's own channel.
func (s *Server) publishUnread(ctx context.Context, principal activity.Principal) error {
	count, err := pg.RetryStale(s.pool, func() (int, error) {
		return inbox.Count(ctx, s.pool, principal, inbox.Unread)
	})
	if err != nil {
		return err
	}
	broadcast := centrifugo.Broadcast{
		Channels: []string{s.channels.User(principal)}, Data: inbox.ChangedMessage(count),
	}
	for _, result := range s.publisher.Publish(ctx, []centrifugo.Broadcast{broadcast}) {
		if result.Err != nil {
			return result.Err
		}
	}
	return nil
}
