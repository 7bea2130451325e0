package api

import (
	"context"
	"encoding/json"
	"time"

	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/inbox"
)

// Publisher publishes on channels, as *centrifugo.Client does.
type Publisher interface {
	Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result
}

// unreadMessage is what a principal's open clients are told when the inbox changes.
type unreadMessage struct {
	Version     string `json:"version"`
	Type        string `json:"type"`
	UnreadCount int    `json:"unread_count"`
}

// publishTimeout bounds how long a request waits for its news to be out.
const publishTimeout = time.Second

// notifyUnread publishes the unread count on the principal's own channel. The change that it tells
// of is made, whether it can be told or not: a client that was not told sees it at its next look.
func (s *Server) notifyUnread(ctx context.Context, caller identity.Identity) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := s.publishUnread(ctx, caller); err != nil {
		s.log.Warn(
			"the unread count was not published",
			zap.String("request_id", requestInfoOf(ctx).requestID),
			zap.Error(err),
		)
	}
}

func (s *Server) publishUnread(ctx context.Context, caller identity.Identity) error {
	count, err := inbox.UnreadCount(ctx, s.pool, caller.Principal)
	if err != nil {
		return err
	}
	data, err := json.Marshal(unreadMessage{Version: "1", Type: "inbox.unread_count", UnreadCount: count})
	if err != nil {
		return err
	}
	for _, result := range s.publisher.Publish(
		ctx,
		[]centrifugo.Broadcast{{Channels: []string{s.channels.User(caller.Principal)}, Data: data}},
	) {
		if result.Err != nil {
			return result.Err
		}
	}
	return nil
}

// nopPublisher publishes nothing.
type nopPublisher struct{}

func (nopPublisher) Publish(context.Context, []centrifugo.Broadcast) []centrifugo.Result { return nil }
