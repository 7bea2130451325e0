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
		OperationID: "list-notifications", Method: http.MethodGet, Path: "/notifications", Tags: []string{"Notifications"},
		Summary:     "Read the inbox",
		Description: "What the principal was told of and may still see, newest first. A page may hold fewer items than asked for, even none, and still have a next one.",
		Responses:   problems(),
	}, s.listNotifications)
	handle(s, routes, huma.Operation{
		OperationID: "count-unread", Method: http.MethodGet, Path: "/notifications/unread-count", Tags: []string{"Notifications"},
		Summary:   "Count what is unread",
		Responses: problems(),
	}, s.countUnread)
	handle(s, routes, huma.Operation{
		OperationID: "mark-notification", Method: http.MethodPatch, Path: "/notifications/{id}", Tags: []string{"Notifications"},
		Summary:     "Mark a notification as read or unread",
		Description: "The new unread count is published on the principal's own channel.",
		Responses:   problems(http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType),
	}, s.markNotification)
	handle(s, routes, huma.Operation{
		OperationID: "mark-all-read", Method: http.MethodPost, Path: "/notifications/mark-all-read", Tags: []string{"Notifications"},
		Summary:     "Mark everything as read",
		Description: "Everything that is unread when it begins. The new unread count is published on the principal's own channel.",
		Responses:   problems(),
	}, s.markAllRead)
}

// Notification is an activity that the principal was told of.
type Notification struct {
	ID        uuid.UUID  `json:"id" format:"uuid" doc:"The activity's id, and so the event's."`
	Reasons   []string   `json:"reasons" nullable:"false" enum:"subscribed,owner,delegator,target" doc:"Why the principal was told."`
	CreatedAt time.Time  `json:"created_at"`
	ReadAt    *time.Time `json:"read_at" nullable:"true" doc:"Null while it is unread."`
	Event     Event      `json:"event"`
}

type notificationsResponse struct {
	Body struct {
		Items       []Notification `json:"items" nullable:"false" doc:"Newest first."`
		NextCursor  *string        `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
		UnreadCount int            `json:"unread_count" doc:"How many are unread in all; counting stops at 10,000."`
	} `nameHint:"Inbox"`
}

// unreadFilter is what a page of the inbox depends on.
type unreadFilter struct{ UnreadOnly bool }

func (s *Server) listNotifications(ctx context.Context, caller identity.Identity, in *struct {
	UnreadOnly bool `query:"unread_only" doc:"Leave out what was read."`
	PageQuery
},
) (*notificationsResponse, error) {
	filter := unreadFilter{in.UnreadOnly}
	after, err := s.after(ctx, in.PageQuery, filter)
	if err != nil {
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
	response := &notificationsResponse{}
	if response.Body.Items, err = s.notifications(ctx, page.Items); err != nil {
		return nil, err
	}
	if response.Body.UnreadCount, err = inbox.UnreadCount(ctx, s.pool, caller.Principal); err != nil {
		return nil, err
	}
	response.Body.NextCursor, err = s.nextCursor(ctx, page.Next, filter)
	return response, err
}

// notifications renders a page of the inbox.
func (s *Server) notifications(ctx context.Context, page []inbox.Notification) ([]Notification, error) {
	told := make([]*activity.Activity, len(page))
	for i := range page {
		told[i] = &page[i].Activity
	}
	events, err := s.events(ctx, told)
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
		UnreadCount int `json:"unread_count" doc:"Counting stops at 10,000."`
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
		Read bool `json:"read" doc:"Whether it is to be read or unread."`
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
		MarkedCount int `json:"marked_count" doc:"How many were unread."`
	} `nameHint:"MarkedCount"`
}

func (s *Server) markAllRead(ctx context.Context, caller identity.Identity, _ *struct{}) (*markedResponse, error) {
	response := &markedResponse{}
	var err error
	if response.Body.MarkedCount, err = inbox.MarkAll(ctx, s.pool, caller.Principal); err != nil {
		return nil, err
	}
	if response.Body.MarkedCount > 0 {
		s.notifyUnread(ctx, caller)
	}
	return response, nil
}
