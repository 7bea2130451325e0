package taxonomy

import (
	_ "embed"
	"maps"
	"strings"
	"sync"

	"github.com/fanfarehq/fanfare/activity"
)

//go:embed builtin.yaml
var builtinFile string

// Builtins returns the actions that Fanfare itself records: those of its daemons, its API and its
// commands. The package activity/actions/builtin has their Go types.
func Builtins() *Taxonomy { return builtins() }

var builtins = sync.OnceValue(func() *Taxonomy { return mustRead(builtinFile) })

// mustRead reads a file that is part of this package; a test reads each of them.
func mustRead(file string) *Taxonomy {
	t, err := read(strings.NewReader(file), nil)
	if err != nil {
		panic("taxonomy: an embedded file: " + err.Error())
	}
	return t
}

// Builtin reports whether Fanfare itself records the action. The visibility, payload, keep and
// max_payload_bytes of such an action are always those of Builtins; a file may change its texts,
// category and severity.
func (a Action) Builtin() bool { return builtins().byName[a.Name] != nil }

// NotifyByAction returns what a list of actions, and the built-in actions that it lacks, say about
// whether an action notifies. It lacks the actions that say nothing.
func NotifyByAction(actions []Action) map[string]activity.Notify {
	byAction := make(map[string]activity.Notify)
	for _, list := range [][]Action{builtins().Actions(), actions} {
		for _, a := range list {
			if delete(byAction, a.Name); a.Notify != "" {
				byAction[a.Name] = a.Notify
			}
		}
	}
	return byAction
}

// WithBuiltins returns the taxonomy together with the built-in actions that it does not have. Apply
// writes it, so that their texts and rules apply. Recording accepts them also without.
func (t *Taxonomy) WithBuiltins() *Taxonomy {
	entries := maps.Clone(builtins().byName)
	maps.Copy(entries, t.byName)
	complete := newTaxonomy(entries, t.secretKeys)
	complete.warnings = t.warnings
	return complete
}

// find returns an action of the taxonomy or a built-in one, or nil.
func (t *Taxonomy) find(action string) *entry {
	if found := t.byName[action]; found != nil {
		return found
	}
	return builtins().byName[action]
}

// fixAs sets what a file does not decide for a built-in action.
func (e *entry) fixAs(builtin *entry) {
	e.Visibility, e.Keep, e.MaxPayloadBytes = builtin.Visibility, builtin.Keep, builtin.MaxPayloadBytes
	e.Schema, e.Required, e.schema = builtin.Schema, builtin.Required, builtin.schema
}
