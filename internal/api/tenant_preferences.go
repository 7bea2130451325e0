package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/preferencelog"
	"github.com/fanfarehq/fanfare/preferences"
)

func (s *Server) addTenantPreferences(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "get-tenant-preferences", Method: http.MethodGet, Path: "/tenant/preferences",
		Tags:    []string{"Preferences"},
		Summary: "Get the preferences of the tenant",
		Description: "They hold, field by field, for every principal of the tenant that has not set its own. A " +
			"field that the tenant has not set is the installation's.",
		Responses: problems(),
	}, s.getTenantPreferences)
	handle(s, routes, huma.Operation{
		OperationID: "put-tenant-preferences", Method: http.MethodPut, Path: "/tenant/preferences",
		Tags: []string{"Preferences"}, Security: requireScope(identity.ScopeAdmin),
		Summary: "Change the preferences of the tenant",
		Description: "An omitted field keeps its value; `inherit` resets fields. A change is recorded in the " +
			"tenant's activity log as `preferences.changed`.",
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.putTenantPreferences)
}

// TenantPreferences are the preferences of principals that have set none of their own.
type TenantPreferences struct {
	FilterMode    string     `json:"filter_mode" enum:"all,mutations,custom"`
	CustomActions []string   `json:"custom_actions" nullable:"false" example:"[\"project.*\",\"file.*\"]"`
	Muted         bool       `json:"muted"`
	MutedActions  []string   `json:"muted_actions" nullable:"false" example:"[\"signal.checked\"]"`
	Inherited     Inherited  `json:"inherited"`
	UpdatedAt     *time.Time `json:"updated_at" nullable:"true" doc:"Null without preferences of the tenant."`
}

// TransformSchema adds descriptions to the schema.
func (TenantPreferences) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, preferencesTexts())
}

// TenantPreferencesChange has the preferences to change.
type TenantPreferencesChange struct{ FieldsChange }

// TransformSchema adds the bounds of a pattern to the schema.
func (TenantPreferencesChange) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return boundPatterns(s)
}

type tenantPreferencesResponse struct{ Body TenantPreferences }

func tenantPreferencesOf(d preferences.TenantDefault) *tenantPreferencesResponse {
	return &tenantPreferencesResponse{TenantPreferences{
		FilterMode: string(d.Mode), CustomActions: d.CustomActions, Muted: d.Muted,
		MutedActions: d.MutedActions,
		Inherited:    inheritedOf(d.Sources, preferences.FromTenant), UpdatedAt: unlessZero(d.UpdatedAt),
	}}
}

func (s *Server) getTenantPreferences(ctx context.Context, caller identity.Identity, _ *struct{}) (
	*tenantPreferencesResponse, error,
) {
	stored, err := preferences.GetTenant(ctx, s.reads(ctx), caller.TenantID)
	if err != nil {
		return nil, err
	}
	return tenantPreferencesOf(stored), nil
}

func (s *Server) putTenantPreferences(
	ctx context.Context,
	caller identity.Identity,
	in *struct{ Body TenantPreferencesChange },
) (*tenantPreferencesResponse, error) {
	stored, err := preferencelog.Set(ctx, s.pool, caller.TenantID, caller.PrincipalID, in.Body.change())
	if err != nil {
		return nil, err
	}
	return tenantPreferencesOf(stored), nil
}
