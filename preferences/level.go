package preferences

// Level is how much a principal wants to hear of a resource, whatever its preference is.
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

// The scopes of a level.
const (
	ScopeResource    = "resource"    // the resource alone
	ScopeDescendants = "descendants" // the resource and all resources below it
)
