package preferences

import (
	"slices"
	"strings"
)

// DefaultMutations returns the prefixes of ModeMutations that NewFilter uses by default.
func DefaultMutations() []string {
	return []string{
		"resource.created",
		"resource.updated",
		"resource.deleted",
		"transfer.*",
		"promotion.*",
	}
}

// Filter reports whether preferences include actions. It caches compiled patterns, a bounded number
// of them. It is safe for concurrent use.
type Filter struct {
	mutations []string // prefixes of actions
	patterns  cache
}

// NewFilter returns a Filter whose ModeMutations includes the actions with one of the given
// prefixes. A trailing * of a prefix is ignored. Nil selects DefaultMutations; with an empty list,
// ModeMutations includes no action.
func NewFilter(mutations []string) *Filter {
	if mutations == nil {
		mutations = DefaultMutations()
	}
	f := &Filter{mutations: make([]string, len(mutations))}
	for i, m := range mutations {
		f.mutations[i] = strings.TrimSuffix(m, "*")
	}
	return f
}

// Includes reports whether the mode of the preference includes the action. An invalid pattern
// matches no action.
//
// Includes ignores Muted. The caller must consider it, because it affects the target of an activity
// differently: a muted target gets an inbox row but no push.
func (f *Filter) Includes(p Preference, action string) bool {
	switch p.Mode {
	case ModeAll:
		return true
	case ModeCustom:
		return slices.ContainsFunc(p.CustomActions, func(pattern string) bool {
			return f.matches(pattern, action)
		})
	default:
		return f.isMutation(action)
	}
}

// Batch returns a Batch of the filter.
func (f *Filter) Batch() *Batch {
	return &Batch{filter: f, byAction: make(map[string]*matcher)}
}

func (f *Filter) isMutation(action string) bool {
	return slices.ContainsFunc(f.mutations, func(prefix string) bool {
		return strings.HasPrefix(action, prefix)
	})
}

func (f *Filter) matches(pattern, action string) bool {
	p, err := f.patterns.compile(pattern)
	return err == nil && p.Match(action)
}
