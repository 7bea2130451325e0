package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers"
)

func (s *Server) addActivities(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "list-activities", Method: http.MethodGet, Path: "/activities", Tags: []string{"Activities"},
		Summary:     "Read what happened",
		Description: "What the principal may see at this moment, newest first. A page may hold fewer items than asked for, even none, and still have a next one.",
		Responses:   problems(),
	}, s.listActivities)
	handle(s, routes, huma.Operation{
		OperationID: "get-activity", Method: http.MethodGet, Path: "/activities/{id}", Tags: []string{"Activities"},
		Summary:   "Read one activity",
		Responses: problems(http.StatusNotFound),
	}, s.getActivity)
}

type activitiesResponse struct {
	Body struct {
		Items      []Activity `json:"items" nullable:"false" doc:"Newest first."`
		NextCursor *string    `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"ActivityPage"`
}

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
	found, next, err := feed.Visible(
		ctx,
		s.pool,
		caller.TenantID,
		caller.PrincipalID,
		filter,
		activity.Page{Limit: in.Limit, Before: before},
	)
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
	found, err := feed.Get(ctx, s.pool, caller.TenantID, caller.PrincipalID, in.ID.UUID)
	if err != nil {
		return nil, err
	}
	events, err := s.events(ctx, []*activity.Activity{&found})
	if err != nil {
		return nil, err
	}
	return &activityResponse{Activity{events[0], storedOf(&found, false)}}, nil
}

// activitiesPage renders a page of the log.
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

// events renders activities, with the names that the directory has for their actors now.
func (s *Server) events(ctx context.Context, list []*activity.Activity) ([]Event, error) {
	known := map[watchers.Principal]bool{}
	var actors []watchers.Principal
	for _, a := range list {
		if p := actorOf(a); !known[p] {
			known[p] = true
			actors = append(actors, p)
		}
	}
	named := map[watchers.Principal]watchers.Actor{}
	if len(actors) > 0 {
		var err error
		if named, err = watchers.NameActors(ctx, s.pool, actors); err != nil {
			return nil, err
		}
	}
	events := make([]Event, len(list))
	for i, a := range list {
		actor := named[actorOf(a)]
		events[i] = Event{s.phrases.Event(a, actor.Kind, actor.DisplayName)}
	}
	return events, nil
}

func actorOf(a *activity.Activity) watchers.Principal {
	return watchers.Principal{TenantID: a.TenantID, PrincipalID: a.ActorPrincipalID}
}
