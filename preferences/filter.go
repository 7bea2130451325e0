package preferences

import (
	"slices"
	"sync/atomic"

	"github.com/fanfarehq/fanfare/activity"
)

// DefaultMutations returns the patterns of ModeMutations that NewFilter uses by default.
func DefaultMutations() []string {
	return []string{"*.created*", "*.updated*", "*.deleted*", "transfer.*", "promotion.*"}
}

// Filter reports whether preferences include actions. It caches compiled patterns, a bounded number
// of them. It is safe for concurrent use.
type Filter struct {
	mutations []Pattern
	notify    atomic.Pointer[map[string]activity.Notify] // by action; a stored map is never modified
	patterns  cache
}

// NewFilter returns a Filter whose ModeMutations includes the actions that one of the patterns
// matches. An invalid pattern matches no action. Nil selects DefaultMutations; with an empty list,
// ModeMutations includes only the actions that SetNotify names.
func NewFilter(mutations []string) *Filter {
	if mutations == nil {
		mutations = DefaultMutations()
	}
	f := &Filter{}
	for _, text := range mutations {
		if p, err := Compile(text); err == nil {
			f.mutations = append(f.mutations, p)
		}
	}
	return f
}

// SetNotify replaces what the taxonomy says of actions. It takes precedence over the patterns of
// NewFilter. The map must not be modified afterwards.
func (f *Filter) SetNotify(byAction map[string]activity.Notify) { f.notify.Store(&byAction) }

// Mandatory reports whether the taxonomy says that everyone is notified of the action.
func (f *Filter) Mandatory(action string) bool { return f.notifyOf(action) == activity.NotifyMandatory }

// Includes reports whether the preference includes the action: an action that is mandatory, or that
// the mode includes. An invalid pattern matches no action.
//
// Includes ignores Muted and MutedActions. The caller must consider them, because they affect the
// target of an activity differently: a muted target gets an inbox row but no push.
func (f *Filter) Includes(p Preference, action string) bool {
	if f.notifyOf(action) == activity.NotifyMandatory {
		return true
	}
	switch p.Mode {
	case ModeAll:
		return true
	case ModeCustom:
		return f.MatchesAny(p.CustomActions, action)
	default:
		return f.isMutation(action)
	}
}

// MatchesAny reports whether one of the patterns matches the action. An invalid pattern matches no
// action.
func (f *Filter) MatchesAny(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return f.matches(pattern, action) })
}

// Batch returns a Batch of the filter.
func (f *Filter) Batch() *Batch {
	return &Batch{filter: f, byAction: make(map[string]*matcher)}
}

func (f *Filter) notifyOf(action string) activity.Notify {
	if byAction := f.notify.Load(); byAction != nil {
		return (*byAction)[action]
	}
	return ""
}

// isMutation reports whether ModeMutations includes the action.
func (f *Filter) isMutation(action string) bool {
	switch f.notifyOf(action) {
	case activity.NotifyDefault, activity.NotifyMandatory:
		return true
	case activity.NotifyOptional:
		return false
	default:
		return slices.ContainsFunc(f.mutations, func(p Pattern) bool { return p.Match(action) })
	}
}

func (f *Filter) matches(pattern, action string) bool {
	p, err := f.patterns.compile(pattern)
	return err == nil && p.Match(action)
}
