package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers/levels"
)

func (s *Server) addWatchLevels(routes huma.API) {
	const one = "/watch-levels/{resource_id}"
	handle(s, routes, huma.Operation{
		OperationID: "list-watch-levels", Method: http.MethodGet, Path: "/watch-levels",
		Tags:        []string{"Preferences"},
		Summary:     "List levels",
		Description: "The levels that the caller has set, in the order of the resources' ids.",
		Responses:   problems(),
	}, s.listWatchLevels)
	handle(s, routes, huma.Operation{
		OperationID: "get-watch-level", Method: http.MethodGet, Path: one,
		Tags:    []string{"Preferences"},
		Summary: "Get the level of a resource",
		Description: "The level that decides for the caller and the resource: the one that the caller has set for " +
			"the resource itself, or else the nearest of those with the scope `descendants` above it. Without any, " +
			"`level` is null: the preferences decide. A caller that has set none for the resource itself gets 404, " +
			"unless it owns the resource, or holds a role on it or on one of its ancestors.",
		Responses: problems(http.StatusNotFound),
	}, s.getWatchLevel)
	handle(s, routes, huma.Operation{
		OperationID: "put-watch-level", Method: http.MethodPut, Path: one,
		Tags:    []string{"Preferences"},
		Summary: "Set the level of a resource",
		Description: "Replaces the level that the caller has set for the resource. A caller that neither owns the " +
			"resource nor holds a role on it or on one of its ancestors gets 404. The level nearest to a resource " +
			"decides, instead of the preferences. A level does not make the caller a watcher.",
		Responses: problems(http.StatusNotFound, http.StatusUnsupportedMediaType),
	}, s.putWatchLevel)
	handle(s, routes, huma.Operation{
		OperationID: "delete-watch-level", Method: http.MethodDelete, Path: one,
		Tags:        []string{"Preferences"},
		Summary:     "Remove the level of a resource",
		Description: "Removes the level that the caller has set for the resource. Without one, nothing changes.",
		Responses:   problems(),
	}, s.deleteWatchLevel)
}

// WatchLevel is how much the caller wants to be notified about a resource.
type WatchLevel struct {
	ResourceID uuid.UUID `json:"resource_id" format:"uuid"`
	Level      string    `json:"level" enum:"all,custom,participating,ignore"`
	Scope      string    `json:"scope" enum:"resource,descendants"`
	Patterns   []string  `json:"patterns" nullable:"false" example:"[]" doc:"Patterns of actions of the level custom."`
	UpdatedAt  time.Time `json:"updated_at"`
}

// TransformSchema adds descriptions to the schema.
func (WatchLevel) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, levelTexts())
}

// EffectiveLevel is the level that decides for the caller and a resource.
type EffectiveLevel struct {
	ResourceID uuid.UUID  `json:"resource_id" format:"uuid"`
	Level      *string    `json:"level" nullable:"true" enum:"all,custom,participating,ignore"`
	From       *uuid.UUID `json:"from" nullable:"true" format:"uuid"`
	Scope      *string    `json:"scope" nullable:"true" enum:"resource,descendants"`
	Patterns   []string   `json:"patterns" nullable:"false" example:"[]" doc:"Patterns of actions of the level custom."`
	UpdatedAt  *time.Time `json:"updated_at" nullable:"true"`
}

// TransformSchema adds descriptions to the schema.
func (EffectiveLevel) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	texts := levelTexts()
	texts["level"] += " Null without a level: the preferences decide."
	for _, name := range []string{"level", "scope"} {
		s.Properties[name].Enum = append(s.Properties[name].Enum, nil)
	}
	texts["from"] = "The resource that the level is set for: this one, or one above it; null without a level."
	return describe(s, texts)
}

func effectiveLevelOf(resource uuid.UUID, l *levels.Level) EffectiveLevel {
	effective := EffectiveLevel{ResourceID: resource, Patterns: []string{}}
	if l != nil {
		level, updated := string(l.Level), l.UpdatedAt.UTC()
		effective.Level, effective.From, effective.Scope = &level, &l.ResourceID, &l.Scope
		effective.Patterns, effective.UpdatedAt = l.Patterns, &updated
	}
	return effective
}

func levelTexts() map[string]string {
	return map[string]string{
		"level": "all activities; those whose action matches patterns; all as owner or delegator, none as " +
			"subscriber; or none.",
		"scope": "the resource alone, or also all resources below it.",
	}
}

// WatchLevelRequest is a level to set.
type WatchLevelRequest struct {
	Level    string   `json:"level" required:"true" enum:"all,custom,participating,ignore"`
	Scope    string   `json:"scope,omitempty" enum:"resource,descendants" default:"resource"`
	Patterns []string `json:"patterns,omitempty" maxItems:"100" example:"[]"`
}

// TransformSchema adds descriptions and the bounds of a pattern to the schema.
func (WatchLevelRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	least, most := 1, preferences.MaxPatternBytes
	pattern := s.Properties["patterns"].Items
	pattern.MinLength, pattern.MaxLength = &least, &most
	s.Properties["patterns"].Description = "Patterns of actions: at least one for the level custom, none for others."
	return describe(s, levelTexts())
}

type watchLevelResponse struct{ Body WatchLevel }

func watchLevelOf(l levels.Level) WatchLevel {
	return WatchLevel{l.ResourceID, string(l.Level), l.Scope, l.Patterns, l.UpdatedAt.UTC()}
}

type watchLevelsResponse struct {
	Body struct {
		Items      []WatchLevel `json:"items" nullable:"false" doc:"In the order of the resources' ids."`
		NextCursor *string      `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"WatchLevelPage"`
}

// watchLevelPath has the resource of a level.
type watchLevelPath struct {
	ResourceID ID `path:"resource_id" doc:"The resource's id."`
}

func (s *Server) listWatchLevels(
	ctx context.Context,
	caller identity.Identity,
	in *struct{ PageQuery },
) (*watchLevelsResponse, error) {
	response := &watchLevelsResponse{}
	items, cursor, err := listOwn(ctx, s, caller, in.PageQuery, ownList[levels.Level, WatchLevel]{
		read: levels.List, show: watchLevelOf,
	})
	response.Body.Items, response.Body.NextCursor = items, cursor
	return response, err
}

func (s *Server) getWatchLevel(ctx context.Context, caller identity.Identity, in *watchLevelPath) (
	*struct{ Body EffectiveLevel }, error,
) {
	l, err := levels.Get(ctx, s.reads(ctx), caller.Principal, in.ResourceID.UUID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body EffectiveLevel }{effectiveLevelOf(in.ResourceID.UUID, l)}, nil
}

func (s *Server) putWatchLevel(ctx context.Context, caller identity.Identity, in *struct {
	ResourceID ID `path:"resource_id" doc:"The resource's id."`
	Body       WatchLevelRequest
},
) (*watchLevelResponse, error) {
	l, err := levels.Set(ctx, s.pool, caller.Principal, levels.Level{
		ResourceID: in.ResourceID.UUID, Level: preferences.Level(in.Body.Level), Scope: in.Body.Scope,
		Patterns: in.Body.Patterns,
	})
	if err != nil {
		return nil, err
	}
	return &watchLevelResponse{watchLevelOf(l)}, nil
}

func (s *Server) deleteWatchLevel(ctx context.Context, caller identity.Identity, in *watchLevelPath) (
	*struct{}, error,
) {
	_, err := levels.Remove(ctx, s.pool, caller.Principal, in.ResourceID.UUID)
	return nil, err
}
