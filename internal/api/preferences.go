package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/preferences"
)

func (s *Server) addPreferences(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "get-preferences", Method: http.MethodGet, Path: "/notifications/preferences",
		Tags:    []string{"Preferences"},
		Summary: "Get the preferences",
		Description: "A field that the caller has not set is the tenant's, else the installation's; `inherited` " +
			"names its origin. Stores nothing.",
		Responses: problems(),
	}, s.getPreferences)
	handle(s, routes, huma.Operation{
		OperationID: "put-preferences", Method: http.MethodPut, Path: "/notifications/preferences",
		Tags:    []string{"Preferences"},
		Summary: "Change the preferences",
		Description: "An omitted field keeps its value; `inherit` resets fields. Patterns are those of Python's " +
			"`fnmatch.fnmatchcase`.",
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.putPreferences)
	handle(s, routes, huma.Operation{
		OperationID: "test-preferences", Method: http.MethodPost, Path: "/notifications/preferences/test",
		Tags:    []string{"Preferences"},
		Summary: "Test patterns",
		Description: "Returns which patterns match which actions, those given and those of the taxonomy, and with " +
			"`recent`, how many activities of the last seven days match that the caller may see. Stores nothing.",
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.testPreferences)
}

// Preferences select the activities that the caller is notified of.
type Preferences struct {
	FilterMode    string      `json:"filter_mode" enum:"all,mutations,custom"`
	CustomActions []string    `json:"custom_actions" nullable:"false" example:"[\"project.*\",\"file.*\"]"`
	Muted         bool        `json:"muted"`
	MutedActions  []string    `json:"muted_actions" nullable:"false" example:"[\"signal.checked\"]"`
	MutedActors   []uuid.UUID `json:"muted_actors" nullable:"false" doc:"Actors whose activities do not notify."`
	Inherited     Inherited   `json:"inherited"`
	UpdatedAt     *time.Time  `json:"updated_at" nullable:"true" doc:"Null for the defaults."`
}

// TransformSchema adds descriptions to the schema.
func (Preferences) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["muted_actors"].Items.Format = "uuid"
	return describe(s, preferencesTexts())
}

func preferencesTexts() map[string]string {
	return map[string]string{
		"filter_mode":    "all actions, actions that change something, or actions that match custom_actions.",
		"custom_actions": "Patterns of actions.",
		"muted": "Disables notifications, except those of mandatory actions, to targets, and by watch levels, " +
			"which are then stored without a push.",
		"muted_actions": "Patterns of actions that do not notify, whatever the mode and the watch levels are, " +
			"unless they are mandatory or the principal is a target.",
	}
}

// Inherited has the origins of the fields that the caller, or the tenant, has not set.
type Inherited struct {
	FilterMode    *string `json:"filter_mode,omitempty" enum:"tenant,installation"`
	CustomActions *string `json:"custom_actions,omitempty" enum:"tenant,installation"`
	Muted         *string `json:"muted,omitempty" enum:"tenant,installation"`
	MutedActions  *string `json:"muted_actions,omitempty" enum:"tenant,installation"`
}

// inheritedOf leaves out the fields of the level at which sources are asked for.
func inheritedOf(from preferences.Sources, own preferences.Source) Inherited {
	origin := func(source preferences.Source) *string {
		if source == own {
			return nil
		}
		return new(source.String())
	}
	return Inherited{origin(from.Mode), origin(from.CustomActions), origin(from.Muted), origin(from.MutedActions)}
}

// PreferencesChange has the preferences to change.
type PreferencesChange struct {
	FieldsChange
	MutedActors *[]ID `json:"muted_actors,omitempty" maxItems:"1000" doc:"Replaces all muted actors."`
}

// FieldsChange has the fields to change of a principal or of a tenant.
type FieldsChange struct {
	FilterMode    *string   `json:"filter_mode,omitempty" enum:"all,mutations,custom"`
	CustomActions *[]string `json:"custom_actions,omitempty" maxItems:"100" example:"[\"project.*\",\"file.*\"]"`
	Muted         *bool     `json:"muted,omitempty"`
	MutedActions  *[]string `json:"muted_actions,omitempty" maxItems:"100" example:"[\"signal.checked\"]"`

	Inherit []string `json:"inherit,omitempty" enum:"filter_mode,custom_actions,muted,muted_actions" maxItems:"4"`
}

// TransformSchema adds the bounds of a pattern to the schema.
func (PreferencesChange) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return boundPatterns(s)
}

// boundPatterns adds the bounds of a pattern, and descriptions, to the schema of a change.
func boundPatterns(s *huma.Schema) *huma.Schema {
	least, most := 1, preferences.MaxPatternBytes
	for _, field := range []string{"custom_actions", "muted_actions"} {
		pattern := s.Properties[field].Items
		pattern.MinLength, pattern.MaxLength = &least, &most
	}
	return describe(s, map[string]string{
		"custom_actions": "Replaces all patterns.",
		"muted_actions":  "Replaces all patterns.",
		"inherit":        "Fields to reset, so that they are inherited again.",
	})
}

func (c FieldsChange) change() preferences.Change {
	change := preferences.Change{
		Mode: (*preferences.Mode)(c.FilterMode), CustomActions: c.CustomActions, Muted: c.Muted,
		MutedActions: c.MutedActions,
	}
	for _, field := range c.Inherit {
		change.Inherit = append(change.Inherit, preferences.Field(field))
	}
	return change
}

type preferencesResponse struct{ Body Preferences }

func preferencesOf(p preferences.Stored) *preferencesResponse {
	return &preferencesResponse{Preferences{
		FilterMode: string(p.Mode), CustomActions: p.CustomActions, Muted: p.Muted,
		MutedActions: p.MutedActions, MutedActors: p.MutedActors,
		Inherited: inheritedOf(p.Sources, preferences.FromPrincipal), UpdatedAt: unlessZero(p.UpdatedAt),
	}}
}

// unlessZero returns the time in UTC, or nil for the zero time.
func unlessZero(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return new(at.UTC())
}

func (s *Server) getPreferences(ctx context.Context, caller identity.Identity, _ *struct{}) (
	*preferencesResponse, error,
) {
	stored, err := preferences.Get(ctx, s.reads(ctx), caller.Principal)
	if err != nil {
		return nil, err
	}
	return preferencesOf(stored), nil
}

func (s *Server) putPreferences(
	ctx context.Context,
	caller identity.Identity,
	in *struct{ Body PreferencesChange },
) (*preferencesResponse, error) {
	change := in.Body.change()
	if in.Body.MutedActors != nil {
		actors := make([]uuid.UUID, len(*in.Body.MutedActors))
		for i, id := range *in.Body.MutedActors {
			actors[i] = id.UUID
		}
		change.MutedActors = &actors
	}
	stored, err := preferences.Put(ctx, s.pool, caller.Principal, change)
	if err != nil {
		return nil, err
	}
	return preferencesOf(stored), nil
}
