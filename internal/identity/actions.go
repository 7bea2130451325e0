package identity

import (
	"fmt"

	"github.com/fanfarehq/fanfare/activity"
)

// maxActions is the maximum number of patterns of a token.
const maxActions = 50

// Actions are the patterns of the actions that a credential with ScopeWrite may record, as Python's
// fnmatch.fnmatchcase matches them; nil permits every action.
type Actions []string

// Matcher returns the function that reports whether the patterns permit an action.
func (a Actions) Matcher() func(action string) bool {
	if a == nil {
		return func(string) bool { return true }
	}
	matchers := make([]func(*activity.Activity) bool, len(a))
	for i, pattern := range a {
		matchers[i] = activity.OfAction(pattern).Matcher()
	}
	return func(action string) bool {
		for i, matches := range matchers {
			if a[i] != "" && matches(&activity.Activity{Action: action}) {
				return true
			}
		}
		return false
	}
}

// violation returns a pattern that is none and the rule that it violates, or an empty rule.
func (a Actions) violation() (pattern, rule string) {
	if len(a) > maxActions {
		return "", fmt.Sprintf("must be at most %d patterns", maxActions)
	}
	for _, pattern := range a {
		if pattern == "" || activity.OfAction(pattern).Validate() != nil {
			return pattern, fmt.Sprintf("must be a pattern of 1 to %d bytes, such as order.*", activity.MaxGlobBytes)
		}
	}
	return "", ""
}
