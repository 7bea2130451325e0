package preferences

// Mode selects the actions that a principal is notified of.
type Mode string

// The modes. Every other value, the empty one included, is ModeMutations.
const (
	ModeAll       Mode = "all"       // all actions
	ModeMutations Mode = "mutations" // the actions that change something; see NewFilter and Filter.SetNotify
	ModeCustom    Mode = "custom"    // the actions that a pattern of the principal matches
)

// Preference is the choice of one principal. The zero value is the default: ModeMutations, not
// muted.
type Preference struct {
	Mode          Mode
	CustomActions []string // patterns of ModeCustom; see Compile
	Muted         bool     // no notifications, whatever the mode
}
