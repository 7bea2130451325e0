package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func (s *Server) addTaxonomy(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "get-taxonomy", Method: http.MethodGet, Path: "/taxonomy",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary:     "Read which actions there are",
		Description: "The taxonomy that is applied, which all tenants share, and how strictly the tenant is held to it.",
		Responses:   problems(http.StatusForbidden),
	}, s.getTaxonomy)
}

type taxonomyResponse struct {
	Body struct {
		Enforcement string   `json:"enforcement" enum:"off,warn,strict" doc:"What happens to an activity of the tenant's that breaks the taxonomy: nothing, a note on it, or a refusal."`
		SecretKeys  []string `json:"secret_keys" nullable:"false" doc:"Names of payload keys whose values are not kept, beside those that never are."`
		Actions     []Action `json:"actions" nullable:"false" doc:"By name."`
	} `nameHint:"Taxonomy"`
}

// Action is what the taxonomy says of one action.
type Action struct {
	taxonomy.Action
	Own bool `json:"own" doc:"Whether it is Fanfare itself that records it."`
}

// TransformSchema says what the fields are.
func (Action) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for name, text := range map[string]string{
		"name": "<resource>.<verb>", "description": "What it means.", "category": "Of activities that name none.",
		"severity": "Of activities that name none.", "visibility": "Of activities that name none.",
		"title": "The template of an event's title; without one it is made of the name.", "summary": "The template of an event's summary.",
		"icon": "Without one it is the resource's type.", "keep": "The keys of the payload that are stored; without it all are.",
		"max_payload_bytes": "Without it the installation's.", "payload": "The JSON Schema (draft 2020-12) of the payload; without it anything goes.",
		"required": "The keys that the payload must hold.",
	} {
		s.Properties[name].Description = text
	}
	s.Properties["severity"].Enum = []any{"info", "warning", "error", "critical"}
	s.Properties["visibility"].Enum = []any{"private", "resource", "scope", "tenant"}
	// A schema may also be true or false.
	*s.Properties["payload"] = huma.Schema{Description: s.Properties["payload"].Description}
	return s
}

func (s *Server) getTaxonomy(ctx context.Context, caller identity.Identity, _ *struct{}) (*taxonomyResponse, error) {
	mode, err := taxonomy.ModeOf(ctx, s.pool, caller.TenantID)
	if err != nil {
		return nil, err
	}
	applied, err := taxonomy.Load(ctx, s.pool)
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
