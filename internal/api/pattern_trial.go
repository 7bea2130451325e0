package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/preferences"
)

// PatternTest has patterns and the actions to match them with.
type PatternTest struct {
	Patterns []string `json:"patterns" nullable:"false" maxItems:"100" example:"[\"project.*\"]"`
	Actions  []string `json:"actions" nullable:"false" maxItems:"100" maxLength:"100" example:"[\"project.created\"]"`
	Recent   bool     `json:"recent,omitempty" doc:"Count the matching activities of the last seven days."`
}

// PatternMatches lists the patterns that match an action.
type PatternMatches struct {
	Action   string   `json:"action"`
	Matches  bool     `json:"matches"`
	Patterns []string `json:"patterns" nullable:"false" doc:"The patterns that match, in their order."`
}

// RecentMatches counts recent activities.
type RecentMatches struct {
	Count int       `json:"count" doc:"The number of activities, or a lower bound."`
	Exact bool      `json:"exact" doc:"False if only the newest 5,000 activities of the tenant were read."`
	Since time.Time `json:"since" doc:"The time from which activities are counted."`
}

type patternTestResponse struct {
	Body struct {
		Results  []PatternMatches `json:"results" nullable:"false" doc:"One for each action, in their order."`
		Taxonomy []string         `json:"taxonomy" nullable:"false" doc:"The actions of the taxonomy that match."`
		Recent   *RecentMatches   `json:"recent,omitempty" doc:"Absent unless requested."`
	} `nameHint:"PatternResults"`
}

// recentTime is the time of which testPreferences counts activities.
const recentTime = 7 * 24 * time.Hour

func (s *Server) testPreferences(
	ctx context.Context,
	caller identity.Identity,
	in *struct{ Body PatternTest },
) (*patternTestResponse, error) {
	patterns, err := compilePatterns(in.Body.Patterns)
	if err != nil {
		return nil, err
	}
	matches := func(action string) bool {
		return slices.ContainsFunc(patterns, func(p preferences.Pattern) bool { return p.Match(action) })
	}
	response := &patternTestResponse{}
	response.Body.Taxonomy = []string{}
	known, err := taxonomy.List(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	for _, a := range known {
		if matches(a.Name) {
			response.Body.Taxonomy = append(response.Body.Taxonomy, a.Name)
		}
	}
	if in.Body.Recent {
		recent := &RecentMatches{Since: s.now().Add(-recentTime).UTC()}
		var counts map[string]int
		if counts, recent.Exact, err = feed.CountActions(ctx, s.pool, caller.Principal, recent.Since); err != nil {
			return nil, err
		}
		for action, count := range counts {
			if matches(action) {
				recent.Count += count
			}
		}
		response.Body.Recent = recent
	}
	response.Body.Results = make([]PatternMatches, 0, len(in.Body.Actions))
	for _, action := range in.Body.Actions {
		matches := PatternMatches{Action: action, Patterns: []string{}}
		for _, p := range patterns {
			if p.Match(action) {
				matches.Matches, matches.Patterns = true, append(matches.Patterns, p.String())
			}
		}
		response.Body.Results = append(response.Body.Results, matches)
	}
	return response, nil
}

// compilePatterns compiles patterns. Its *invalid.Error reports every invalid one.
func compilePatterns(texts []string) ([]preferences.Pattern, error) {
	var broken invalid.Error
	patterns := make([]preferences.Pattern, len(texts))
	for i, text := range texts {
		pattern, err := preferences.Compile(text)
		if patternErr := (*preferences.PatternError)(nil); errors.As(err, &patternErr) {
			broken.Fields = append(
				broken.Fields,
				invalid.Field{Name: fmt.Sprintf("patterns[%d]", i), Value: text, Rule: patternErr.Rule},
			)
		}
		patterns[i] = pattern
	}
	if len(broken.Fields) > 0 {
		return nil, &broken
	}
	return patterns, nil
}
