package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

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

	Actions []ActionCount `json:"actions" nullable:"false" doc:"At most 200, the most frequent ones first."`
}

// ActionCount is the number of activities with an action.
type ActionCount struct {
	Action string `json:"action"`
	Count  int    `json:"count"`
}

// PatternCount is what one pattern matches.
type PatternCount struct {
	Pattern string `json:"pattern"`
	Actions int    `json:"actions" doc:"The number of actions that match, of the taxonomy and of recent activities."`
	Nearest string `json:"nearest,omitempty"`
}

// TransformSchema adds descriptions to the schema.
func (PatternCount) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"nearest": "The action of the taxonomy to which the pattern is nearest, if it matches none; for the first " +
			"five such patterns.",
	})
}

type patternTestResponse struct {
	Body struct {
		Results  []PatternMatches `json:"results" nullable:"false" doc:"One for each action, in their order."`
		Taxonomy []string         `json:"taxonomy" nullable:"false" doc:"The actions of the taxonomy that match."`
		Patterns []PatternCount   `json:"patterns" nullable:"false" doc:"One for each pattern, in their order."`
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
	taken, err := taxonomy.List(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	known := make([]string, len(taken))
	for i, a := range taken {
		known[i] = a.Name
		if matches(a.Name) {
			response.Body.Taxonomy = append(response.Body.Taxonomy, a.Name)
		}
	}
	var counts map[string]int
	if in.Body.Recent {
		recent := &RecentMatches{Since: s.now().Add(-recentTime).UTC()}
		if counts, recent.Exact, err = feed.CountActions(ctx, s.pool, caller.Principal, recent.Since); err != nil {
			return nil, err
		}
		recent.Count, recent.Actions = recentActions(counts, matches)
		response.Body.Recent = recent
	}
	response.Body.Patterns = matchesOf(patterns, known, counts)
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

// maxRecentActions and maxNearest are the maximum numbers of actions and of nearest actions in a
// response of testPreferences.
const (
	maxRecentActions = 200
	maxNearest       = 5
)

// recentActions returns the number of activities whose action matches, and the actions, the most
// frequent ones first.
func recentActions(counts map[string]int, matches func(string) bool) (total int, actions []ActionCount) {
	actions = []ActionCount{}
	for action, count := range counts {
		if matches(action) {
			total += count
			actions = append(actions, ActionCount{action, count})
		}
	}
	slices.SortFunc(actions, func(a, b ActionCount) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Action, b.Action))
	})
	return total, actions[:min(len(actions), maxRecentActions)]
}

// matchesOf returns what each pattern matches of the actions of the taxonomy and of recent ones.
func matchesOf(patterns []preferences.Pattern, known []string, recent map[string]int) []PatternCount {
	actions := make(map[string]bool, len(known)+len(recent))
	for _, action := range known {
		actions[action] = true
	}
	for action := range recent {
		actions[action] = true
	}
	list, asked := make([]PatternCount, len(patterns)), 0
	for i, p := range patterns {
		list[i].Pattern = p.String()
		for action := range actions {
			if p.Match(action) {
				list[i].Actions++
			}
		}
		if list[i].Actions == 0 && asked < maxNearest {
			list[i].Nearest = preferences.NearestAction(p.String(), known)
			asked++
		}
	}
	return list
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
