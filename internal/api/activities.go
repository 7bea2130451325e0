package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func (s *Server) addActivities(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "list-activities", Method: http.MethodGet, Path: "/activities", Tags: []string{"Activities"},
		Summary: "List activities",
		Description: "The activities that the caller may see now, newest first. " + shortPages + " Filters by " +
			"actor, owner and correlation id are quick only for the caller's own activities and with the scope " +
			"activity:read: otherwise each page reads the activities of the whole tenant, so that it discloses " +
			"nothing of those that the caller may not see.",
		Responses: problems(),
	}, s.listActivities)
	handle(s, routes, huma.Operation{
		OperationID: "get-activity", Method: http.MethodGet, Path: "/activities/{id}", Tags: []string{"Activities"},
		Summary:   "Get an activity",
		Responses: problems(http.StatusNotFound),
	}, s.getActivity)
}

// ActivityPage is a page of activities.
type ActivityPage struct {
	Items      []Activity `json:"items" nullable:"false" doc:"Newest first."`
	NextCursor *string    `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
}

type activitiesResponse struct{ Body ActivityPage }

func (s *Server) listActivities(ctx context.Context, caller identity.Identity, in *struct {
	FilterCommon
	FilterActor
	FilterResource
	FilterOwner
	PageQuery
},
) (*activitiesResponse, error) {
	filter := filterOf(in.FilterCommon, in.FilterActor, in.FilterResource, in.FilterOwner)
	before, err := s.after(ctx, in.PageQuery, filter)
	if err != nil {
		return nil, err
	}
	found, next, err := feed.List(ctx, s.reads(ctx), feed.Request{
		Principal: caller.Principal,
		ReadsAll:  caller.Scopes.Has(identity.ScopeRead),
		Filter:    filter,
		Page:      activity.Page{Limit: in.Limit, Before: before},
	})
	if err != nil {
		return nil, err
	}
	return s.activitiesPage(ctx, found, next, filter, false)
}

type activityResponse struct{ Body Activity }

func (s *Server) getActivity(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The activity's id."`
},
) (*activityResponse, error) {
	found, err := feed.Get(ctx, s.reads(ctx), caller.Principal, in.ID.UUID)
	if err != nil {
		return nil, err
	}
	events, err := s.events(ctx, []*activity.Activity{&found})
	if err != nil {
		return nil, err
	}
	return &activityResponse{Activity{events[0], storedOf(&found, false)}}, nil
}

// activitiesPage renders a page of the activity log.
func (s *Server) activitiesPage(
	ctx context.Context,
	found []activity.Activity,
	next uuid.UUID,
	filter activity.Filter,
	audit bool,
) (*activitiesResponse, error) {
	list := make([]*activity.Activity, len(found))
	for i := range found {
		list[i] = &found[i]
	}
	events, err := s.events(ctx, list)
	if err != nil {
		return nil, err
	}
	response := &activitiesResponse{}
	response.Body.Items = make([]Activity, len(found))
	for i := range found {
		response.Body.Items[i] = Activity{events[i], storedOf(&found[i], audit)}
	}
	response.Body.NextCursor, err = s.nextCursor(ctx, next, filter)
	return response, err
}

// events renders activities, with the names that the directory has for their actors.
func (s *Server) events(ctx context.Context, list []*activity.Activity) ([]Event, error) {
	rendered, err := s.catalog.Events(ctx, s.reads(ctx), list)
	if err != nil {
		return nil, err
	}
	return asEvents(rendered), nil
}

func asEvents(rendered []activity.Event) []Event {
	events := make([]Event, len(rendered))
	for i := range rendered {
		events[i] = Event{rendered[i]}
	}
	return events
}
