package preferences

import (
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

// Level is how much a principal wants to be notified about a resource. It replaces the preference.
type Level string

// The levels. Every other value, the empty one included, is no level.
const (
	LevelAll           Level = "all"           // all activities
	LevelCustom        Level = "custom"        // those whose action a pattern of the level matches
	LevelParticipating Level = "participating" // all, as owner or delegator; none, as subscriber
	LevelIgnore        Level = "ignore"        // none, not even as owner or delegator
)

// Levels returns all levels.
func Levels() []Level {
	return []Level{LevelAll, LevelCustom, LevelParticipating, LevelIgnore}
}

// CheckLevel returns the violations of a level and its patterns, the fields level and patterns. The
// level custom has at least one pattern, and no other level has any.
func CheckLevel(l Level, patterns []string) []invalid.Field {
	violations := CheckPatterns("patterns", patterns)
	switch {
	case !slices.Contains(Levels(), l):
		violations = append(violations, invalid.Field{
			Name: "level", Value: shorten(printable(string(l))),
			Rule: "must be one of all, custom, participating, ignore",
		})
	case l == LevelCustom && len(patterns) == 0:
		violations = append(violations, invalid.Field{
			Name: "patterns", Rule: "must have at least one pattern with the level custom",
		})
	case l != LevelCustom && len(patterns) > 0:
		violations = append(violations, invalid.Field{
			Name: "patterns", Value: shorten(printable(strings.Join(patterns, ", "))),
			Rule: "must be empty unless the level is custom",
		})
	}
	return violations
}
