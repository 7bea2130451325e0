package preferences

// A Mode names how much a person wants to hear of what they watch.
type Mode string

// The modes. Any other, as well as none, counts as ModeMutations.
const (
	ModeAll       Mode = "all"       // every action
	ModeMutations Mode = "mutations" // the actions that change something
	ModeCustom    Mode = "custom"    // the actions that the person's own patterns match
)

// A Preference is what one person asked for. The zero value is the default, and
// so stands for whoever has asked for nothing: mutations, not muted.
type Preference struct {
	Mode          Mode
	CustomActions []string // the patterns of ModeCustom; see Compile
	Muted         bool     // tell nothing for now; the mode is kept for later
}
