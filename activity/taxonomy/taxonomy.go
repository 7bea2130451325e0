package taxonomy

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fanfarehq/fanfare/activity"
)

// Action is an action of a taxonomy.
type Action struct {
	Name        string `json:"name"` // <resource>.<verb>: "signal.created"
	Description string `json:"description"`
	Category    string `json:"category"`

	// Severity and Visibility are the defaults of an envelope that does not set them.
	Severity   activity.Severity   `json:"severity"`
	Visibility activity.Visibility `json:"visibility"`

	// Notify specifies whether the action notifies principals whose filter mode is mutations. The
	// zero value leaves that to the patterns of the installation.
	Notify activity.Notify `json:"notify,omitzero"`

	// Title and Summary are templates of the texts of events.
	Title   string `json:"title,omitzero"`
	Summary string `json:"summary,omitzero"`
	Icon    string `json:"icon,omitzero"`

	// Keep lists the keys of the payload that are stored, sorted. nil stores every key.
	Keep []string `json:"keep,omitzero"`
	// MaxPayloadBytes limits the size of the payload. 0 is the limit of the installation.
	MaxPayloadBytes int `json:"max_payload_bytes,omitzero"`
	// Schema is the JSON Schema of the payload with sorted keys. nil allows every payload.
	Schema json.RawMessage `json:"payload,omitzero"`
	// Required lists the keys that Schema requires at the top level of the payload, sorted.
	Required []string `json:"required,omitzero"`
}

// Taxonomy is a set of valid actions. It is safe for concurrent use.
type Taxonomy struct {
	byName     map[string]*entry
	names      []string // sorted
	secretKeys []string // in lower case, sorted
	warnings   *stats
}

// entry is an action, prepared for Check.
type entry struct {
	Action
	schema *jsonschema.Schema // nil allows every payload
	keep   map[string]bool    // nil keeps every key
}

func newTaxonomy(entries map[string]*entry, secretKeys []string) *Taxonomy {
	return &Taxonomy{
		byName:     entries,
		names:      slices.Sorted(maps.Keys(entries)),
		secretKeys: secretKeys,
		warnings:   &stats{},
	}
}

// SecretKeys returns the payload keys whose values are redacted, in addition to those that are
// always redacted. They are in lower case and sorted.
func (t *Taxonomy) SecretKeys() []string { return slices.Clone(t.secretKeys) }

// Actions returns all actions in the order of their names.
func (t *Taxonomy) Actions() []Action {
	actions := make([]Action, len(t.names))
	for i, name := range t.names {
		actions[i] = t.byName[name].Action.clone()
	}
	return actions
}

// Action returns the action of a name, and reports whether the taxonomy has it.
func (t *Taxonomy) Action(name string) (Action, bool) {
	found, ok := t.byName[name]
	if !ok {
		return Action{}, false
	}
	return found.Action.clone(), true
}

// clone returns a copy that shares no slice with the taxonomy.
func (a Action) clone() Action {
	a.Keep, a.Schema, a.Required = slices.Clone(a.Keep), slices.Clone(a.Schema), slices.Clone(a.Required)
	return a
}
