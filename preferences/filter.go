package preferences

import (
	"slices"
	"strings"
)

// DefaultMutations returns what ModeMutations means unless told otherwise.
func DefaultMutations() []string {
	return []string{
		"resource.created",
		"resource.updated",
		"resource.deleted",
		"transfer.*",
		"promotion.*",
	}
}

// A Filter decides which actions people asked to hear of. One serves the whole
// process, from many goroutines at once: it keeps the patterns it has compiled,
// a bounded number of them.
type Filter struct {
	mutations []string // prefixes
	patterns  cache
}

// NewFilter returns a filter for which mutations are the actions that ModeMutations
// lets through: each entry is a prefix of them, with or without a trailing *.
// Nil means DefaultMutations; an empty list means that there are none.
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

// Wants reports whether p's mode lets the action through. A pattern that cannot
// be matches nothing.
//
// It does not look at p.Muted, because that is a question of its own with two
// answers: whoever the action addresses is told regardless of the mode, and
// muting spares them the push but not the record.
func (f *Filter) Wants(p Preference, action string) bool {
	switch p.Mode {
	case ModeAll:
		return true
	case ModeCustom:
		return slices.ContainsFunc(p.CustomActions, func(pattern string) bool {
			return f.matches(pattern, action)
		})
	default:
		return f.mutates(action)
	}
}

// Batch returns a batch, which answers as f does.
func (f *Filter) Batch() *Batch {
	return &Batch{filter: f, known: make(map[string]answers)}
}

func (f *Filter) mutates(action string) bool {
	return slices.ContainsFunc(f.mutations, func(prefix string) bool {
		return strings.HasPrefix(action, prefix)
	})
}

func (f *Filter) matches(pattern, action string) bool {
	p, err := f.patterns.compile(pattern)
	return err == nil && p.Match(action)
}
