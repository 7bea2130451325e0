package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/inbox"
)

func (s *Server) addNotifications(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "list-notifications", Method: http.MethodGet, Path: "/notifications",
		Tags:        []string{"Notifications"},
		Summary:     "List notifications",
		Description: "The caller's notifications of activities that they may still see, newest first. " + shortPages,
		Responses:   problems(),
	}, s.listNotifications)
	handle(s, routes, huma.Operation{
		OperationID: "count-unread", Method: http.MethodGet, Path: "/notifications/unread-count",
		Tags:      []string{"Notifications"},
		Summary:   "Count unread notifications",
		Responses: problems(),
	}, s.countUnread)
	handle(s, routes, huma.Operation{
		OperationID: "mark-notification", Method: http.MethodPatch, Path: "/notifications/{id}",
		Tags:        []string{"Notifications"},
		Summary:     "Mark a notification as read or unread",
		Description: "Publishes the new unread count on the caller's own channel.",
		Responses:   problems(http.StatusNotFound, http.StatusUnsupportedMediaType),
	}, s.markNotification)
	handle(s, routes, huma.Operation{
		OperationID: "mark-all-read", Method: http.MethodPost, Path: "/notifications/mark-all-read",
		Tags:    []string{"Notifications"},
		Summary: "Mark all notifications as read",
		Description: "Marks the notifications that are unread when the request begins, and publishes the new unread " +
			"count on the caller's own channel. A client that shows a list sends as up_to the id of the newest " +
			"notification in it: what has arrived since stays unread.",
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.markAllRead)
}

// Notification is a row of the caller's inbox.
type Notification struct {
	ID        uuid.UUID  `json:"id" format:"uuid" doc:"The id of the activity, and of the event."`
	Reasons   []string   `json:"reasons" nullable:"false" enum:"subscribed,owner,delegator,target"`
	CreatedAt time.Time  `json:"created_at"`
	ReadAt    *time.Time `json:"read_at" nullable:"true" doc:"Null while it is unread."`
	Event     Event      `json:"event"`
}

type notificationsResponse struct {
	Body struct {
		Items       []Notification `json:"items" nullable:"false" doc:"Newest first."`
		NextCursor  *string        `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
		UnreadCount int            `json:"unread_count" doc:"Unread notifications, exact below 10,000."`
	} `nameHint:"Inbox"`
}

// unreadFilter is the filter of a page of the inbox.
type unreadFilter struct{ UnreadOnly bool }

func (s *Server) listNotifications(ctx context.Context, caller identity.Identity, in *struct {
	UnreadOnly bool `query:"unread_only" doc:"Omits read notifications."`
	PageQuery
},
) (*notificationsResponse, error) {
	filter := unreadFilter{in.UnreadOnly}
	after, err := s.after(ctx, in.PageQuery, filter)
	if err != nil {
		return nil, err
	}
	response := &notificationsResponse{}
	// Counted first, so that the page has every notification that is counted.
	if response.Body.UnreadCount, err = inbox.UnreadCount(ctx, s.pool, caller.Principal); err != nil {
		return nil, err
	}
	page, err := inbox.List(
		ctx,
		s.pool,
		caller.Principal,
		inbox.Query{UnreadOnly: in.UnreadOnly, Limit: in.Limit, After: after},
	)
	if err != nil {
		return nil, err
	}
	if response.Body.Items, err = s.notifications(ctx, page.Items); err != nil {
		return nil, err
	}
	response.Body.NextCursor, err = s.nextCursor(ctx, page.Next, filter)
	return response, err
}

// notifications renders notifications.
func (s *Server) notifications(ctx context.Context, page []inbox.Notification) ([]Notification, error) {
	activities := make([]*activity.Activity, len(page))
	for i := range page {
		activities[i] = &page[i].Activity
	}
	events, err := s.events(ctx, activities)
	if err != nil {
		return nil, err
	}
	items := make([]Notification, len(page))
	for i, n := range page {
		items[i] = Notification{ID: n.ID, Reasons: n.Reasons.Names(), CreatedAt: n.CreatedAt.UTC(), Event: events[i]}
		if n.ReadAt != nil {
			at := n.ReadAt.UTC()
			items[i].ReadAt = &at
		}
	}
	return items, nil
}

type unreadResponse struct {
	Body struct {
		UnreadCount int `json:"unread_count" doc:"Unread notifications, exact below 10,000."`
	} `nameHint:"UnreadCount"`
}

func (s *Server) countUnread(ctx context.Context, caller identity.Identity, _ *struct{}) (*unreadResponse, error) {
	response := &unreadResponse{}
	var err error
	response.Body.UnreadCount, err = inbox.UnreadCount(ctx, s.pool, caller.Principal)
	if err != nil {
		return nil, err
	}
	return response, nil
}

type notificationResponse struct{ Body Notification }

func (s *Server) markNotification(ctx context.Context, caller identity.Identity, in *struct {
	ID   ID `path:"id" doc:"The notification's id."`
	Body struct {
		Read bool `json:"read" doc:"true marks it as read, false as unread."`
	} `nameHint:"NotificationChange"`
},
) (*notificationResponse, error) {
	marked, err := inbox.Mark(ctx, s.pool, caller.Principal, in.ID.UUID, in.Body.Read)
	if err != nil {
		return nil, err
	}
	s.notifyUnread(ctx, caller)
	items, err := s.notifications(ctx, []inbox.Notification{marked})
	if err != nil {
		return nil, err
	}
	return &notificationResponse{items[0]}, nil
}

type markedResponse struct {
	Body struct {
		MarkedCount int `json:"marked_count" doc:"The number of notifications that were unread."`
	} `nameHint:"MarkedCount"`
}

// MarkAllRequest bounds the notifications to mark.
type MarkAllRequest struct {
	UpTo ID `json:"up_to,omitempty" doc:"Only this notification and older ones; default all."`
}

func (s *Server) markAllRead(
	ctx context.Context,
	caller identity.Identity,
	in *struct{ Body *MarkAllRequest },
) (*markedResponse, error) {
	var upTo uuid.UUID
	if in.Body != nil {
		upTo = in.Body.UpTo.UUID
	}
	response := &markedResponse{}
	var err error
	if response.Body.MarkedCount, err = inbox.MarkAll(ctx, s.pool, caller.Principal, upTo); err != nil {
		return nil, err
	}
	if response.Body.MarkedCount > 0 {
		s.notifyUnread(ctx, caller)
	}
	return response, nil
}
