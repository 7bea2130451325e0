package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func (s *Server) addTaxonomyActions(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "list-actions", Method: http.MethodGet, Path: "/taxonomy/actions",
		Tags:    []string{"Activities"},
		Summary: "List the actions",
		Description: "The actions of the applied taxonomy, which all tenants share, and the built-in ones: what a " +
			"client needs to offer and to describe actions. `GET /taxonomy` has their templates and schemas.",
		Responses: problems(),
	}, s.listActions)
}

// KnownAction is what every principal may know of an action of the taxonomy.
type KnownAction struct {
	Name        string              `json:"name" doc:"<resource>.<verb>"`
	Description string              `json:"description" doc:"The meaning of the action."`
	Category    string              `json:"category" doc:"The default category."`
	Severity    activity.Severity   `json:"severity" enum:"info,warning,error,critical" doc:"The default severity."`
	Visibility  activity.Visibility `json:"visibility" enum:"private,resource,scope,tenant"`
	Notify      activity.Notify     `json:"notify" enum:"default,optional,mandatory,"`
	Icon        string              `json:"icon" doc:"Empty for the default, which is the type of the resource."`
	Builtin     bool                `json:"own" doc:"Whether it is Fanfare itself that records it."`
}

// TransformSchema adds descriptions to the schema.
func (KnownAction) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"visibility": "The default visibility.",
		"notify":     "Whether the action notifies, as in `GET /taxonomy`. Empty if patterns decide.",
	})
}

type actionsResponse struct {
	Body struct {
		Items []KnownAction `json:"items" nullable:"false" doc:"In the order of their names."`
	} `nameHint:"Actions"`
}

func (s *Server) listActions(ctx context.Context, _ identity.Identity, _ *struct{}) (*actionsResponse, error) {
	applied, err := taxonomy.List(ctx, s.reads(ctx))
	if err != nil {
		return nil, err
	}
	response := &actionsResponse{}
	response.Body.Items = make([]KnownAction, len(applied))
	for i, a := range applied {
		response.Body.Items[i] = KnownAction{
			Name: a.Name, Description: a.Description, Category: a.Category, Severity: a.Severity,
			Visibility: a.Visibility, Notify: a.Notify, Icon: a.Icon, Builtin: a.Builtin(),
		}
	}
	return response, nil
}
