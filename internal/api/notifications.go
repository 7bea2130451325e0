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
	"github.com/fanfarehq/fanfare/watchers"
)

func (s *Server) addNotifications(routes huma.API) {
	tags := []string{"Notifications"}
	handle(s, routes, huma.Operation{
		OperationID: "list-notifications", Method: http.MethodGet, Path: "/notifications", Tags: tags,
		Summary: "List notifications",
		Description: "The caller's notifications of activities that they may still see, newest first: by default " +
			"those of the inbox, which are neither archived nor snoozed. " + shortPages + " With group_by, the " +
			"response has groups instead of items. The numbers of a group are exact if at most 5,000 notifications " +
			"are in the state and between since and until; otherwise each 5,000 of them are grouped by themselves.",
		Responses: problems(),
	}, s.listNotifications)
	handle(s, routes, huma.Operation{
		OperationID: "get-notification", Method: http.MethodGet, Path: "/notifications/{id}", Tags: tags,
		Summary:   "Get a notification",
		Responses: problems(http.StatusNotFound),
	}, s.getNotification)
	handle(s, routes, huma.Operation{
		OperationID: "count-unread", Method: http.MethodGet, Path: "/notifications/unread-count", Tags: tags,
		Summary:   "Count unread notifications",
		Responses: problems(),
	}, s.countUnread)
	handle(s, routes, huma.Operation{
		OperationID: "count-notifications", Method: http.MethodGet, Path: "/notifications/counts", Tags: tags,
		Summary:     "Count notifications in each state",
		Description: "Each number is exact below 10,000, whatever the age of the notifications.",
		Responses:   problems(),
	}, s.countNotifications)
	s.addNotificationMarks(routes)
}

// Notification is a row of the caller's inbox.
type Notification struct {
	ID           uuid.UUID  `json:"id" format:"uuid" doc:"The id of the activity, and of the event."`
	Reasons      []string   `json:"reasons" nullable:"false" enum:"subscribed,owner,delegator,target"`
	GroupID      *uuid.UUID `json:"group_id" format:"uuid" nullable:"true"`
	CreatedAt    time.Time  `json:"created_at"`
	SeenAt       *time.Time `json:"seen_at" nullable:"true" doc:"Null while it is unseen."`
	ReadAt       *time.Time `json:"read_at" nullable:"true" doc:"Null while it is unread."`
	ArchivedAt   *time.Time `json:"archived_at" nullable:"true" doc:"Null unless it is archived."`
	SnoozedUntil *time.Time `json:"snoozed_until" nullable:"true"`
	Event        Event      `json:"event"`
}

// TransformSchema adds descriptions to the schema.
func (Notification) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"group_id":      "A group through which a reason holds that does not hold directly, or null.",
		"snoozed_until": "When it returns to the inbox, unread. Null unless it is snoozed.",
	})
}

// NotificationFilter selects notifications of the caller.
type NotificationFilter struct {
	State  string `query:"state" json:"state,omitempty" enum:"inbox,unread,unseen,archived,snoozed,all"`
	Reason string `query:"reason" json:"reason,omitempty" enum:"subscribed,owner,delegator,target"`
	FilterCommon
	FilterActor
	FilterResource
	FilterOwner
}

// selection returns what the filter selects.
func (f *NotificationFilter) selection() inbox.Selection {
	s := inbox.Selection{
		State:  inbox.State(f.State),
		Filter: filterOf(f.FilterCommon, f.FilterActor, f.FilterResource, f.FilterOwner),
	}
	if f.Reason != "" { // the schema has its values
		s.Reasons, _ = watchers.ParseReason(f.Reason)
	}
	return s
}

// Inbox is a page of an inbox.
type Inbox struct {
	Items       []Notification      `json:"items" nullable:"false" doc:"Newest first; none with group_by."`
	Groups      []NotificationGroup `json:"groups" nullable:"true" doc:"Newest first; null without group_by."`
	NextCursor  *string             `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	UnreadCount int                 `json:"unread_count" doc:"Unread in the inbox, exact below 10,000."`
}

type notificationsResponse struct{ Body Inbox }

func (s *Server) listNotifications(ctx context.Context, caller identity.Identity, in *struct {
	NotificationFilter
	GroupBy string `query:"group_by" enum:"resource,correlation,burst" doc:"Lists groups instead of notifications."`
	PageQuery
},
) (response *notificationsResponse, err error) {
	response = &notificationsResponse{}
	response.Body.Items = []Notification{}
	selection := in.selection()
	if in.GroupBy == "" {
		return response, s.addItems(ctx, caller, selection, in.PageQuery, response)
	}
	// Counted first, so that the page has every notification that is counted.
	if response.Body.UnreadCount, err = inbox.Count(ctx, s.reads(ctx), caller.Principal, inbox.Unread); err != nil {
		return nil, err
	}
	return response, s.addGroups(ctx, caller, selection, inbox.GroupBy(in.GroupBy), in.PageQuery, response)
}

// addItems adds a page and the number of unread notifications.
func (s *Server) addItems(
	ctx context.Context,
	caller identity.Identity,
	selection inbox.Selection,
	q PageQuery,
	response *notificationsResponse,
) error {
	after, err := s.after(ctx, q, selection)
	if err != nil {
		return err
	}
	page, unread, err := inbox.Overview(
		ctx, s.reads(ctx), caller.Principal, inbox.Query{Selection: selection, Limit: q.Limit, After: after})
	if err != nil {
		return err
	}
	response.Body.UnreadCount = unread
	events := s.catalog.EventsOf(activitiesOf(page.Items), page.Actors)
	response.Body.Items = notificationsOf(page.Items, asEvents(events))
	response.Body.NextCursor, err = s.nextCursor(ctx, page.Next, selection)
	return err
}

// notifications renders notifications.
func (s *Server) notifications(ctx context.Context, page []inbox.Notification) ([]Notification, error) {
	events, err := s.events(ctx, activitiesOf(page))
	if err != nil {
		return nil, err
	}
	return notificationsOf(page, events), nil
}

func activitiesOf(page []inbox.Notification) []*activity.Activity {
	activities := make([]*activity.Activity, len(page))
	for i := range page {
		activities[i] = &page[i].Activity
	}
	return activities
}

// notificationsOf returns notifications with their events.
func notificationsOf(page []inbox.Notification, events []Event) []Notification {
	items := make([]Notification, len(page))
	for i, n := range page {
		items[i] = Notification{
			ID: n.ID, Reasons: n.Reasons.Names(), CreatedAt: n.CreatedAt.UTC(), Event: events[i],
			SeenAt: inUTC(n.SeenAt), ReadAt: inUTC(n.ReadAt), ArchivedAt: inUTC(n.ArchivedAt),
			SnoozedUntil: inUTC(n.SnoozedUntil),
		}
		if n.GroupID != uuid.Nil {
			items[i].GroupID = &n.GroupID
		}
	}
	return items
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	utc := at.UTC()
	return &utc
}

type notificationResponse struct{ Body Notification }

func (s *Server) getNotification(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The notification's id."`
},
) (*notificationResponse, error) {
	found, err := inbox.Get(ctx, s.reads(ctx), caller.Principal, in.ID.UUID)
	if err != nil {
		return nil, err
	}
	return s.notification(ctx, found)
}

func (s *Server) notification(ctx context.Context, n inbox.Notification) (*notificationResponse, error) {
	items, err := s.notifications(ctx, []inbox.Notification{n})
	if err != nil {
		return nil, err
	}
	return &notificationResponse{items[0]}, nil
}

type unreadResponse struct {
	Body struct {
		UnreadCount int `json:"unread_count" doc:"Unread in the inbox, exact below 10,000."`
	} `nameHint:"UnreadCount"`
}

func (s *Server) countUnread(ctx context.Context, caller identity.Identity, _ *struct{}) (*unreadResponse, error) {
	response := &unreadResponse{}
	var err error
	response.Body.UnreadCount, err = inbox.Count(ctx, s.reads(ctx), caller.Principal, inbox.Unread)
	if err != nil {
		return nil, err
	}
	return response, nil
}

type countsResponse struct {
	Body struct {
		Inbox    int `json:"inbox" doc:"Neither archived nor snoozed."`
		Unread   int `json:"unread" doc:"Those of the inbox that are unread."`
		Unseen   int `json:"unseen" doc:"Those of the inbox that are unseen."`
		Archived int `json:"archived"`
		Snoozed  int `json:"snoozed" doc:"Those that are not archived."`
	} `nameHint:"NotificationCounts"`
}

func (s *Server) countNotifications(
	ctx context.Context, caller identity.Identity, _ *struct{},
) (*countsResponse, error) {
	counts, err := inbox.CountAll(ctx, s.reads(ctx), caller.Principal)
	if err != nil {
		return nil, err
	}
	response := &countsResponse{}
	body := &response.Body
	body.Inbox, body.Unread, body.Unseen = counts.Inbox, counts.Unread, counts.Unseen
	body.Archived, body.Snoozed = counts.Archived, counts.Snoozed
	return response, nil
}
