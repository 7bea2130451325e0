package api

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/outboxlog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
)

func (s *Server) addDeadLetters(routes huma.API) {
	handle(s, routes, operatorOperation("list-dead-letters", http.MethodGet, "/outbox/dead", "List dead letters",
		"The dead letters of the tenant, the latest first. A dead letter blocks no other activity."),
		s.listDeadLetters)
	handle(s, routes, operatorOperation("group-dead-letters", http.MethodGet, "/outbox/dead/groups",
		"Group dead letters",
		"The dead letters of the tenant by action and error, the largest group first. Errors that differ in ids and "+
			"numbers alone are of one kind. At most the newest 50,000 are grouped, into at most 200 groups."),
		s.groupDeadLetters)
	const repeat = " The request takes up to `limit` of them, the oldest first. Repeat it with `until` of the " +
		"response in the filter while `remaining` is not 0. "
	handle(s, routes, operatorOperation("replay-dead-letters", http.MethodPost, "/outbox/dead/replay",
		"Replay dead letters",
		"Returns the dead letters that the filter selects to the end of the outbox. Their delivery publishes only "+
			"on the channels that were not reached, and adds no second notification to an inbox."+repeat+
			"It is recorded as `outbox.replayed`, with the filter and the count.",
		http.StatusUnsupportedMediaType), s.changeDeadLetters(outboxlog.Replay))
	handle(s, routes, operatorOperation("discard-dead-letters", http.MethodPost, "/outbox/dead/discard",
		"Discard dead letters",
		"Removes the dead letters that the filter selects. Their activities stay in the log, and are never "+
			"delivered."+repeat+"It is recorded as `outbox.discarded`, with the filter and the count.",
		http.StatusUnsupportedMediaType), s.changeDeadLetters(outboxlog.Discard))
	handle(s, routes, operatorOperation("replay-dead-letter", http.MethodPost, "/outbox/dead/{id}/replay",
		"Replay a dead letter",
		"Returns the activity to the end of the outbox. Its delivery publishes only on the channels "+
			"that were not reached, and adds no second notification to an inbox. It is recorded as `outbox.replayed`.",
		http.StatusNotFound), s.replayDeadLetter)
}

// DeadLetter is an activity that could not be delivered.
type DeadLetter struct {
	outbox.DeadLetter
}

// TransformSchema adds formats and descriptions to the schema.
func (DeadLetter) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	describeActivity(s)
	return describe(s, map[string]string{
		"channels": "The channels that were not reached; null means all.",
	})
}

// DeadFilter selects dead letters: as parameters, or in a body with the same names.
type DeadFilter struct {
	Error        string    `query:"error" json:"error,omitempty" maxLength:"500" doc:"A text in the error."`
	ErrorKind    string    `query:"error_kind" json:"error_kind,omitempty" maxLength:"500"`
	Action       string    `query:"action" json:"action,omitempty" maxLength:"200" doc:"A pattern: project.*"`
	Resource     ID        `query:"resource" json:"resource,omitempty" doc:"The resource."`
	ResourceType string    `query:"resource_type" json:"resource_type,omitempty" maxLength:"100"`
	Since        time.Time `query:"since" json:"since,omitempty" doc:"Died at this time or later."`
	Until        time.Time `query:"until" json:"until,omitempty" doc:"Died before this time."`
}

// DeadFilterBody is a DeadFilter in a body.
type DeadFilterBody struct {
	DeadFilter
	ActivityID ID `json:"activity_id,omitempty" doc:"The activity of the only dead letter."`
}

// TransformSchema adds descriptions to the schema.
func (DeadFilterBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"error":      "A text in the error, in any case.",
		"error_kind": "An error, or that of a group: selects the errors that differ from it in ids and numbers alone.",
	})
}

func (f DeadFilter) selection() outbox.DeadFilter {
	return outbox.DeadFilter{
		Error: f.Error, ErrorKind: f.ErrorKind, Action: f.Action, Resource: f.Resource.UUID,
		ResourceType: f.ResourceType, Since: f.Since, Until: f.Until,
	}
}

type deadLettersResponse struct {
	Body struct {
		Items      []DeadLetter `json:"items" nullable:"false" doc:"Latest first."`
		NextCursor *string      `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"DeadLetterList"`
}

func (s *Server) listDeadLetters(ctx context.Context, caller identity.Identity, in *struct {
	DeadFilter
	PageQuery
},
) (*deadLettersResponse, error) {
	q := outbox.DeadQuery{DeadFilter: in.selection(), Limit: in.Limit + 1}
	if err := q.Validate(); err != nil {
		return nil, err
	}
	var diedAt uuid.UUID
	if err := s.openCursor(ctx, in.Cursor, in.DeadFilter, &diedAt, &q.After.ActivityID); err != nil {
		return nil, err
	}
	if q.After.ActivityID != uuid.Nil {
		q.After.DiedAt = positionedTime(diedAt)
	}
	letters, err := outbox.NewBacklog(s.pool).DeadLetters(ctx, caller.TenantID, q)
	if err != nil {
		return nil, err
	}
	response := &deadLettersResponse{}
	letters, last := pageOf(letters, in.Limit, func(l outbox.DeadLetter) uuid.UUID { return l.ActivityID })
	response.Body.Items = make([]DeadLetter, len(letters))
	for i, letter := range letters {
		response.Body.Items[i] = DeadLetter{letter}
	}
	if last != uuid.Nil {
		at := timePosition(letters[len(letters)-1].DiedAt)
		response.Body.NextCursor, err = s.sealCursor(ctx, in.DeadFilter, at, last)
	}
	return response, err
}

// timePosition returns a time, to the microsecond, as a part of a cursor's position.
func timePosition(at time.Time) (position uuid.UUID) {
	binary.BigEndian.PutUint64(position[8:], uint64(at.UnixMicro()))
	return position
}

// positionedTime returns the time of a timePosition.
func positionedTime(position uuid.UUID) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(position[8:])))
}

// DeadLetterGroup counts the dead letters of an action and a kind of error.
type DeadLetterGroup struct {
	outbox.DeadGroup
}

// TransformSchema adds formats and descriptions to the schema.
func (DeadLetterGroup) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["sample_activity_id"].Format = "uuid"
	return describe(s, map[string]string{
		"error_kind":         "The error, at most 500 characters, with <id> and <n> in place of ids and numbers.",
		"action":             "Empty for activities that are no longer in the log.",
		"oldest_at":          "When the first of them died.",
		"newest_at":          "When the last of them died.",
		"sample_activity_id": "The latest recorded activity among them.",
	})
}

type deadGroupsResponse struct {
	Body struct {
		Items []DeadLetterGroup `json:"items" nullable:"false" doc:"The largest group first."`
		Exact bool              `json:"exact" doc:"Whether these are all groups, and their counts are exact."`
	} `nameHint:"DeadLetterGroups"`
}

func (s *Server) groupDeadLetters(
	ctx context.Context, caller identity.Identity, in *DeadFilter,
) (*deadGroupsResponse, error) {
	filter := in.selection()
	if err := filter.Validate(); err != nil {
		return nil, err
	}
	groups, exact, err := outbox.NewBacklog(s.pool).DeadGroups(ctx, caller.TenantID, filter)
	if err != nil {
		return nil, err
	}
	response := &deadGroupsResponse{}
	response.Body.Items, response.Body.Exact = make([]DeadLetterGroup, len(groups)), exact
	for i, g := range groups {
		response.Body.Items[i] = DeadLetterGroup{g}
	}
	return response, nil
}

// DeadLetterChange selects the dead letters to change.
type DeadLetterChange struct {
	Filter DeadFilterBody `json:"filter"`
	Limit  int            `json:"limit,omitempty" minimum:"1" maximum:"1000" default:"1000"`
}

// TransformSchema adds descriptions to the schema.
func (DeadLetterChange) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"filter": "Selects dead letters as the list does; {} selects all of the tenant.",
		"limit":  "The maximum number of dead letters that this request changes.",
	})
}

type changedDeadResponse struct {
	Body struct {
		Count     int64     `json:"count" doc:"The number of dead letters that were changed."`
		Remaining int64     `json:"remaining" doc:"Those left that the filter selects; exact below 100,000."`
		Until     time.Time `json:"until" doc:"Of the filter, or the time of the change: for the next request."`
	} `nameHint:"ChangedDeadLetters"`
}

// changeDeadLetters returns the handler of a change.
func (s *Server) changeDeadLetters(
	change func(ctx context.Context, db pg.Beginner, c outboxlog.Change) (outboxlog.Changed, error),
) func(context.Context, identity.Identity, *struct{ Body DeadLetterChange }) (*changedDeadResponse, error) {
	return func(ctx context.Context, caller identity.Identity, in *struct{ Body DeadLetterChange }) (
		*changedDeadResponse, error,
	) {
		filter := in.Body.Filter.selection()
		filter.ActivityID = in.Body.Filter.ActivityID.UUID
		done, err := change(ctx, s.pool, changeBy(ctx, caller, filter, in.Body.Limit))
		if err != nil {
			return nil, err
		}
		response := &changedDeadResponse{}
		response.Body.Count, response.Body.Remaining, response.Body.Until = done.Count, done.Remaining, done.Until
		return response, nil
	}
}

func changeBy(ctx context.Context, caller identity.Identity, f outbox.DeadFilter, limit int) outboxlog.Change {
	return outboxlog.Change{
		Tenant: caller.TenantID, Filter: f, Limit: limit,
		By: caller.PrincipalID, UserAgent: requestInfoOf(ctx).userAgent,
	}
}

type replayResponse struct {
	Body struct {
		Replayed int64 `json:"replayed" doc:"The number of activities returned to the outbox."`
	} `nameHint:"ReplayedCount"`
}

func (s *Server) replayDeadLetter(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The activity's id."`
},
) (*replayResponse, error) {
	change := changeBy(ctx, caller, outbox.DeadFilter{ActivityID: in.ID.UUID}, 1)
	done, err := outboxlog.Replay(ctx, s.pool, change)
	if err != nil {
		return nil, err
	}
	if done.Count == 0 {
		return nil, fmt.Errorf("dead letter %s: %w", in.ID, activity.ErrNotFound)
	}
	response := &replayResponse{}
	response.Body.Replayed = done.Count
	return response, nil
}
