package preferences

import (
	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fnmatch"
)

const (
	// maxResults is the number of results that a Batch keeps. Principals share few patterns.
	maxResults = 2048
	// fewPatterns is the number of patterns that are matched with an action by their compiled
	// forms, which the filter keeps. That takes less time for most patterns and more for some.
	fewPatterns = 32
)

// Batch reports whether preferences include actions, as its Filter does. It decides about each
// distinct action once for ModeMutations, matches each distinct pattern once per action, and is
// fastest with consecutive calls for the same action. Its work is bounded, whatever the patterns
// are: for each beyond a few, at most a step per character.
//
// A Batch must not be used concurrently. It keeps every action: use a new one for each batch of
// activities.
type Batch struct {
	filter   *Filter
	byAction map[string]*matcher
	kept     int // results of all matchers

	action  string // of the last call
	matcher *matcher
}

// matcher matches patterns with one action.
type matcher struct {
	mandatory, mutation bool // every mode includes the action; ModeMutations does

	text    *fnmatch.Text // nil until it is needed, and for an action that a Text cannot hold
	results map[string]bool
}

// Mandatory reports what Filter.Mandatory reports.
func (b *Batch) Mandatory(action string) bool {
	b.selectAction(action)
	return b.matcher.mandatory
}

// Includes reports what Filter.Includes reports.
func (b *Batch) Includes(p Preference, action string) bool {
	b.selectAction(action)
	switch {
	case p.Mode == ModeAll, b.matcher.mandatory:
		return true
	case p.Mode != ModeCustom:
		return b.matcher.mutation
	}
	return b.MatchesAny(p.CustomActions, action)
}

// MatchesAny reports what Filter.MatchesAny reports.
func (b *Batch) MatchesAny(patterns []string, action string) bool {
	if len(patterns) == 0 {
		return false
	}
	b.selectAction(action)
	for _, pattern := range patterns {
		if b.matches(pattern) {
			return true
		}
	}
	return false
}

// selectAction sets action and matcher.
func (b *Batch) selectAction(action string) {
	if b.matcher != nil && b.action == action {
		return
	}
	b.action = action
	b.matcher = b.byAction[action]
	if b.matcher == nil {
		b.matcher = &matcher{
			mandatory: b.filter.notifyOf(action) == activity.NotifyMandatory,
			mutation:  b.filter.isMutation(action),
			results:   make(map[string]bool),
		}
		b.byAction[action] = b.matcher
	}
}

func (b *Batch) matches(pattern string) bool {
	matched, found := b.matcher.results[pattern]
	if found {
		return matched
	}
	if b.matcher.text == nil && len(b.matcher.results) >= fewPatterns {
		b.matcher.text = fnmatch.NewText(b.action)
	}
	if b.matcher.text != nil {
		matched = violated(pattern) == "" && b.matcher.text.Match(pattern)
	} else {
		matched = b.filter.matches(pattern, b.action)
	}
	if b.kept < maxResults {
		b.matcher.results[pattern] = matched
		b.kept++
	}
	return matched
}
