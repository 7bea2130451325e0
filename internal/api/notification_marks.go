package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/inbox"
)

func (s *Server) addNotificationMarks(routes huma.API) {
	const announced = " Publishes the new unread count on the caller's own channel."
	tags := []string{"Notifications"}
	handle(s, routes, huma.Operation{
		OperationID: "mark-notification", Method: http.MethodPatch, Path: "/notifications/{id}", Tags: tags,
		Summary: "Mark a notification as seen, read, archived or snoozed",
		Description: "An omitted field changes nothing. The opposite change reverses one. A snoozed notification " +
			"returns to the inbox at its time, unseen and unread." + announced,
		Responses: problems(http.StatusNotFound, http.StatusUnsupportedMediaType),
	}, s.markNotification)
	handle(s, routes, huma.Operation{
		OperationID: "mark-notifications", Method: http.MethodPost, Path: "/notifications/mark", Tags: tags,
		Summary: "Mark many notifications",
		Description: "Changes the notifications of a filter, which is that of the list, or those of ids; of " +
			"activities that the caller may still see. A client that shows a list sends as up_to the id of the " +
			"newest notification in it: what has arrived since stays as it is. To undo, send the ids of the " +
			"response with the opposite changes. A request examines up to 50,000 notifications of the state, whether " +
			"it changes them or not; if there are more, repeat it with next_cursor as its cursor." + announced,
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.markNotifications)
	handle(s, routes, huma.Operation{
		OperationID: "mark-all-read", Method: http.MethodPost, Path: "/notifications/mark-all-read", Tags: tags,
		Summary: "Mark all notifications as read",
		Description: "Marks the notifications of the inbox that are unread when the request begins. A client that " +
			"shows a list sends as up_to the id of the newest notification in it: what has arrived since stays " +
			"unread." + announced,
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.markAllRead)
}

// NotificationChanges are changes of notifications.
type NotificationChanges struct {
	Seen         *bool        `json:"seen,omitempty"`
	Read         *bool        `json:"read,omitempty"`
	Archived     *bool        `json:"archived,omitempty"`
	SnoozedUntil snoozeChange `json:"snoozed_until,omitempty"`
}

// TransformSchema adds descriptions to the schema.
func (NotificationChanges) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"seen":     "Seen in a list. What is read is seen, too.",
		"read":     "true marks it as read, false as unread.",
		"archived": "true takes it out of the inbox, false puts it back.",
	})
}

func (c NotificationChanges) changes() inbox.Changes {
	changes := inbox.Changes{Seen: c.Seen, Read: c.Read, Archived: c.Archived}
	if c.SnoozedUntil.given {
		changes.Snooze = &inbox.Snooze{Until: c.SnoozedUntil.until}
	}
	return changes
}

// snoozeChange distinguishes null from an omitted field.
type snoozeChange struct {
	given bool
	until time.Time // zero for null
}

// UnmarshalJSON reads a time or null.
func (c *snoozeChange) UnmarshalJSON(text []byte) error {
	c.given, c.until = true, time.Time{}
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(text, &c.until); err != nil {
		return errors.New("must be a time or null")
	}
	return nil
}

// Schema returns the schema in the OpenAPI document.
func (snoozeChange) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Format: "date-time", Nullable: true, Examples: []any{"2026-03-02T09:00:00Z"},
		Description: "When it returns to the inbox, in the future and at most 366 days ahead by the clock of the " +
			"database; null ends the snooze.",
	}
}

func (s *Server) markNotification(ctx context.Context, caller identity.Identity, in *struct {
	ID   ID `path:"id" doc:"The notification's id."`
	Body NotificationChanges
},
) (*notificationResponse, error) {
	if (in.Body == NotificationChanges{}) {
		return nil, fieldProblem(InvalidField, "body", "must have at least one of its fields")
	}
	changed, err := inbox.Change(ctx, s.pool, caller.Principal, in.ID.UUID, in.Body.changes())
	if err != nil {
		return nil, err
	}
	s.announceChange(caller.Principal)
	return s.notification(ctx, changed)
}

// MarkRequest selects notifications and the changes of them.
type MarkRequest struct {
	Filter  *NotificationFilter `json:"filter,omitempty"`
	IDs     []ID                `json:"ids,omitempty" minItems:"1" maxItems:"1000" nullable:"false"`
	UpTo    ID                  `json:"up_to,omitempty" doc:"Only this notification and older ones; default all."`
	Changes NotificationChanges `json:"changes"`
	Cursor  string              `json:"cursor,omitempty" maxLength:"200"`
}

// TransformSchema adds descriptions to the schema.
func (MarkRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"filter": "Selects notifications as the list does; {} selects the inbox. Either this or ids is required.",
		"ids":    "The ids of notifications. Those of others, and unknown ones, are ignored.",
		"cursor": "The next_cursor of the previous response to the same request.",
	})
}

type markResponse struct {
	Body struct {
		Count      int         `json:"count" doc:"The number of notifications that were changed."`
		IDs        []uuid.UUID `json:"ids" nullable:"true" doc:"Theirs; null if they are more than 1,000."`
		NextCursor *string     `json:"next_cursor" nullable:"true" doc:"Null unless there are more to examine."`
	} `nameHint:"Marked"`
}

// markScope is the scope of cursors of marks.
type markScope struct {
	inbox.Selection
	UpTo    uuid.UUID
	Changes inbox.Changes
}

func (s *Server) markNotifications(
	ctx context.Context, caller identity.Identity, in *struct{ Body MarkRequest },
) (*markResponse, error) {
	body := &in.Body
	m := inbox.Marking{UpTo: body.UpTo.UUID, Changes: body.Changes.changes()}
	switch {
	case (body.Filter == nil) == (body.IDs == nil):
		return nil, fieldProblem(InvalidField, "filter", "must be given, or ids, but not both")
	case body.Filter != nil:
		m.Selection = body.Filter.selection()
	default:
		m.IDs = make([]uuid.UUID, len(body.IDs))
		for i, id := range body.IDs {
			m.IDs[i] = id.UUID
		}
	}
	scope := markScope{m.Selection, m.UpTo, m.Changes}
	if err := s.openCursor(ctx, body.Cursor, scope, &m.After); err != nil {
		return nil, err
	}
	marked, err := inbox.Mark(ctx, s.pool, caller.Principal, m)
	if marked.Count > 0 {
		s.announceChange(caller.Principal)
	}
	if err != nil {
		return nil, inBody(err)
	}
	response := &markResponse{}
	response.Body.Count, response.Body.IDs = marked.Count, marked.IDs
	response.Body.NextCursor, err = s.nextCursor(ctx, marked.Next, scope)
	return response, err
}

// inBody names the fields of an *invalid.Error by their places in the body of a MarkRequest.
func inBody(err error) error {
	input, ok := errors.AsType[*invalid.Error](err)
	if !ok {
		return err
	}
	switch input.Subject {
	case "filter":
		return input.At("filter.")
	case "changes":
		if input.Fields[0].Name != "changes" {
			return input.At("changes.")
		}
	}
	return err
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
	marked, err := inbox.MarkAllRead(ctx, s.pool, caller.Principal, upTo)
	if marked > 0 {
		s.announceChange(caller.Principal)
	}
	if err != nil {
		return nil, err
	}
	response := &markedResponse{}
	response.Body.MarkedCount = marked
	return response, nil
}
