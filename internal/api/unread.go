package api

import (
	"context"
	"encoding/json"
	"time"

	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Publisher publishes to channels. *centrifugo.Client implements it.
type Publisher interface {
	Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result
}

// unreadMessage is published to a principal's clients when the number of unread notifications
// changes.
type unreadMessage struct {
	Version     string `json:"version"`
	Type        string `json:"type"`
	UnreadCount int    `json:"unread_count"`
}

// publishTimeout is the maximum time that a request waits for the publication.
const publishTimeout = time.Second

// notifyUnread publishes the unread count on the caller's own channel. A failure is logged and does
// not fail the request: clients get the count with their next request.
func (s *Server) notifyUnread(ctx context.Context, caller identity.Identity) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := s.publishUnread(ctx, caller); err != nil {
		s.log.Warn(
			"unread count could not be published",
			zap.String("request_id", requestInfoOf(ctx).requestID),
			zap.Error(err),
		)
	}
}

func (s *Server) publishUnread(ctx context.Context, caller identity.Identity) error {
	count, err := pg.RetryStale(s.pool, func() (int, error) {
		return inbox.UnreadCount(ctx, s.pool, caller.Principal)
	})
	if err != nil {
		return err
	}
	data, err := json.Marshal(unreadMessage{Version: "1", Type: "inbox.unread_count", UnreadCount: count})
	if err != nil {
		return err
	}
	broadcast := centrifugo.Broadcast{Channels: []string{s.channels.User(caller.Principal)}, Data: data}
	for _, result := range s.publisher.Publish(ctx, []centrifugo.Broadcast{broadcast}) {
		if result.Err != nil {
			return result.Err
		}
	}
	return nil
}

// nopPublisher is the default Publisher.
type nopPublisher struct{}

func (nopPublisher) Publish(context.Context, []centrifugo.Broadcast) []centrifugo.Result { return nil }
