package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func (s *Server) addTaxonomy(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "get-taxonomy", Method: http.MethodGet, Path: "/taxonomy",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary:     "Get the taxonomy",
		Description: "The applied taxonomy, which all tenants share, and the enforcement mode of the tenant.",
		Responses:   problems(),
	}, s.getTaxonomy)
}

type taxonomyResponse struct {
	Body struct {
		Enforcement string   `json:"enforcement" enum:"off,warn,strict"`
		SecretKeys  []string `json:"secret_keys" nullable:"false" doc:"Payload keys whose values are redacted."`
		Actions     []Action `json:"actions" nullable:"false" doc:"In the order of their names."`
	} `nameHint:"Taxonomy"`
}

// Action is an action of the taxonomy.
type Action struct {
	taxonomy.Action
	Builtin bool `json:"own" doc:"Whether it is Fanfare itself that records it."`
}

// TransformSchema adds descriptions and enums to the schema.
func (Action) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	describe(s, map[string]string{
		"name":        "<resource>.<verb>",
		"description": "The meaning of the action.",
		"category":    "The default category.",
		"severity":    "The default severity.",
		"visibility":  "The default visibility.",
		"notify": "Whether the action notifies principals whose filter mode is mutations: default, it does; " +
			"optional, it does not; mandatory, it notifies those with any other mode too. By default, patterns decide.",
		"title":             "The template of an event's title. The default derives from the name.",
		"summary":           "The template of an event's summary.",
		"icon":              "The icon. The default is the resource's type.",
		"keep":              "The keys of the payload that are stored. The default is all keys.",
		"max_payload_bytes": "The maximum size of the payload. The default is the installation's.",
		"payload":           "The JSON Schema (draft 2020-12) of the payload. The default accepts any payload.",
		"required":          "The required keys of the payload.",
	})
	s.Properties["severity"].Enum = []any{"info", "warning", "error", "critical"}
	s.Properties["notify"].Enum = []any{"default", "optional", "mandatory"}
	s.Properties["visibility"].Enum = enumOf(activity.Visibilities())
	// A schema may also be true or false.
	*s.Properties["payload"] = huma.Schema{Description: s.Properties["payload"].Description}
	return s
}

func (s *Server) getTaxonomy(ctx context.Context, caller identity.Identity, _ *struct{}) (*taxonomyResponse, error) {
	mode, err := taxonomy.ModeOf(ctx, s.reads(ctx), caller.TenantID)
	if err != nil {
		return nil, err
	}
	applied, err := taxonomy.Load(ctx, s.reads(ctx))
	if err != nil {
		return nil, err
	}
	response := &taxonomyResponse{}
	response.Body.Enforcement = string(mode)
	response.Body.SecretKeys = append([]string{}, applied.SecretKeys()...)
	response.Body.Actions = []Action{}
	for _, action := range applied.Actions() {
		response.Body.Actions = append(response.Body.Actions, Action{action, action.Builtin()})
	}
	return response, nil
}
