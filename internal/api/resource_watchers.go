package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func (s *Server) addWatchers(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "list-watchers", Method: http.MethodGet, Path: "/resources/{id}/watchers",
		Tags:    []string{"Subscriptions"},
		Summary: "List the watchers of a resource",
		Description: "Requires ownership of the resource, or a delegator's role. Permission and preferences decide " +
			"whether a watcher is notified.",
		Responses: problems(http.StatusNotFound),
	}, s.listWatchers)
}

// Watcher is a principal that follows a resource.
type Watcher struct {
	PrincipalID uuid.UUID `json:"principal_id" format:"uuid"`
	Kind        string    `json:"kind" doc:"user, agent, service, …; unknown if not in the directory"`
	DisplayName string    `json:"display_name"`
	Reasons     []string  `json:"reasons" nullable:"false" enum:"subscribed,owner,delegator,target"`
	Scope       *string   `json:"scope" nullable:"true" enum:"resource,descendants"`
}

// TransformSchema adds descriptions to the schema, and null to its enum.
func (Watcher) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["scope"].Enum = append(s.Properties["scope"].Enum, nil)
	return describe(s, map[string]string{
		"scope": "The scope of the widest subscription to the resource or to an ancestor; null without one.",
	})
}

type watchersResponse struct {
	Body struct {
		Items      []Watcher `json:"items" nullable:"false" doc:"In the order of their ids."`
		NextCursor *string   `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"WatcherPage"`
}

func (s *Server) listWatchers(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The resource's id."`
	PageQuery
},
) (*watchersResponse, error) {
	after, err := s.after(ctx, in.PageQuery, in.ID)
	if err != nil {
		return nil, err
	}
	manager, err := directory.IsManager(ctx, s.reads(ctx), caller.Principal, in.ID.UUID)
	if err != nil {
		return nil, err
	}
	if !manager {
		return nil, newProblem(NotFound)
	}
	page := subscriptions.Page{Limit: in.Limit, After: after}
	list, next, err := watchers.List(ctx, s.reads(ctx), caller.TenantID, in.ID.UUID, page)
	if err != nil {
		return nil, err
	}
	response := &watchersResponse{}
	response.Body.Items = make([]Watcher, len(list))
	for i, w := range list {
		response.Body.Items[i] = watcherOf(w)
	}
	response.Body.NextCursor, err = s.nextCursor(ctx, next, in.ID)
	return response, err
}

func watcherOf(w watchers.Watcher) Watcher {
	watcher := Watcher{
		PrincipalID: w.PrincipalID, Kind: orUnknown(w.Kind), DisplayName: w.DisplayName, Reasons: w.Reasons.Names(),
	}
	if w.Scope != "" {
		watcher.Scope = &w.Scope
	}
	return watcher
}

// orUnknown returns the kind of a principal that the directory may not contain.
func orUnknown(kind string) string { return cmp.Or(kind, "unknown") }
