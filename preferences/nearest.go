package preferences

import (
	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fnmatch"
)

// Nearest returns the first pattern that matches an action. If none does, it returns the one that
// would match after the fewest characters of the action were inserted, deleted or replaced, and of
// several the first. It returns "" without a valid pattern.
func Nearest(patterns []string, action string) (pattern string, matches bool) {
	least := -1
	for _, text := range patterns {
		if violated(text) != "" {
			continue
		}
		distance := fnmatch.Parse(text).Distance(action)
		if distance == 0 {
			return text, true
		}
		if least < 0 || distance < least {
			pattern, least = text, distance
		}
	}
	return pattern, false
}

// NearestAction returns the action that a pattern matches after the fewest characters of the action
// were inserted, deleted or replaced, and of several the first. It returns "" without actions, and
// for an invalid pattern.
func NearestAction(pattern string, actions []string) (nearest string) {
	if violated(pattern) != "" {
		return ""
	}
	parsed, least := fnmatch.Parse(pattern), -1
	for _, action := range actions {
		if distance := parsed.Distance(action); least < 0 || distance < least {
			nearest, least = action, distance
		}
	}
	return nearest
}

// Selection is how a Filter decides about an action.
type Selection struct {
	Includes bool
	Notify   activity.Notify // what the taxonomy says of the action, if that decides
	Pattern  string          // the pattern that Nearest returns, if patterns decide and it is asked for
}

// Explain decides as Includes does, and returns how. It takes more time, unless it is brief and
// returns no pattern.
func (f *Filter) Explain(p Preference, action string, brief bool) Selection {
	s := Selection{Includes: f.Includes(p, action)}
	notify := f.notifyOf(action)
	switch {
	case notify == activity.NotifyMandatory, p.Mode != ModeAll && p.Mode != ModeCustom && notify != "":
		s.Notify = notify
	case brief, p.Mode == ModeAll:
	case p.Mode == ModeCustom:
		s.Pattern, _ = Nearest(p.CustomActions, action)
	default:
		texts := make([]string, len(f.mutations))
		for i, pattern := range f.mutations {
			texts[i] = pattern.String()
		}
		s.Pattern, _ = Nearest(texts, action)
	}
	return s
}
