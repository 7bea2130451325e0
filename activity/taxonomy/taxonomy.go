package taxonomy

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fanfarehq/fanfare/activity"
)

// Action is what a taxonomy says of one action.
type Action struct {
	Name            string              `json:"name"` // <resource>.<verb>: "signal.created"
	Description     string              `json:"description"`
	Category        string              `json:"category"`
	Severity        activity.Severity   `json:"severity"`   // what an envelope that gives none has, as the next
	Visibility      activity.Visibility `json:"visibility"` //
	Title           string              `json:"title,omitzero"`
	Summary         string              `json:"summary,omitzero"`
	Icon            string              `json:"icon,omitzero"`
	Keep            []string            `json:"keep,omitzero"`              // the payload's keys that are stored, sorted; nil: all
	MaxPayloadBytes int                 `json:"max_payload_bytes,omitzero"` // 0: as many as the installation allows
	Schema          json.RawMessage     `json:"payload,omitzero"`           // JSON Schema of the payload, its keys sorted; nil asks nothing
	Required        []string            `json:"required,omitzero"`          // the keys that Schema requires of the payload itself, sorted
}

// Taxonomy is a set of actions, each known to be sound. It is safe for concurrent use.
type Taxonomy struct {
	byName     map[string]*entry
	names      []string // sorted
	secretKeys []string // in lower case, sorted
	warnings   *stats
}

// entry is an action and what its checking takes.
type entry struct {
	Action
	schema *jsonschema.Schema // nil asks nothing
	keep   map[string]bool    // nil keeps all
}

func newTaxonomy(entries map[string]*entry, secretKeys []string) *Taxonomy {
	return &Taxonomy{
		byName:     entries,
		names:      slices.Sorted(maps.Keys(entries)),
		secretKeys: secretKeys,
		warnings:   &stats{},
	}
}

// SecretKeys returns the names of payload keys whose values are not kept, beside those that are
// never kept: in lower case, sorted.
func (t *Taxonomy) SecretKeys() []string { return slices.Clone(t.secretKeys) }

// Actions returns all actions by name.
func (t *Taxonomy) Actions() []Action {
	actions := make([]Action, len(t.names))
	for i, name := range t.names {
		actions[i] = t.byName[name].Action.clone()
	}
	return actions
}

// Action returns one action, if there is one of that name.
func (t *Taxonomy) Action(name string) (Action, bool) {
	found, ok := t.byName[name]
	if !ok {
		return Action{}, false
	}
	return found.Action.clone(), true
}

// clone keeps what a caller does with the slices away from the taxonomy.
func (a Action) clone() Action {
	a.Keep, a.Schema, a.Required = slices.Clone(a.Keep), slices.Clone(a.Schema), slices.Clone(a.Required)
	return a
}
