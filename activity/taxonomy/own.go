package taxonomy

import (
	"maps"
	"slices"
	"sync"
)

// ownActions are those that Fanfare itself records: its daemons, its API and its commands.
var ownActions = []string{
	"activity.redacted",
	"daemon.started", "daemon.stopping",
	"log.exported",
	"retention.changed", "retention.hold_placed", "retention.hold_released", "retention.purged",
	"subscription.created", "subscription.revoked",
	"taxonomy.applied", "taxonomy.enforcement_changed",
	"token.created", "token.revoked",
}

// Own tells whether it is Fanfare itself that records the action. What such an action's payload
// holds is not for an application to say: visibility, payload, keep and max_payload_bytes are those
// of the shipped taxonomy, whatever a file has.
func (a Action) Own() bool { return slices.Contains(ownActions, a.Name) }

// own returns Fanfare's own actions by name.
var own = sync.OnceValue(func() map[string]*entry {
	entries := make(map[string]*entry, len(ownActions))
	for _, name := range ownActions {
		entries[name] = shipped().byName[name]
	}
	return entries
})

// Whole returns the taxonomy as Apply writes it: with Fanfare's own actions, where it does not have
// them. So no taxonomy keeps Fanfare from recording what it does.
func (t *Taxonomy) Whole() *Taxonomy {
	entries := maps.Clone(own())
	maps.Copy(entries, t.byName)
	whole := newTaxonomy(entries, t.secretKeys)
	whole.warned = t.warned
	return whole
}

// find returns an action of the whole taxonomy, or nil.
func (t *Taxonomy) find(action string) *entry {
	if found := t.byName[action]; found != nil {
		return found
	}
	return own()[action]
}

// recordedAs takes from one of Fanfare's own actions what a file does not decide.
func (e *entry) recordedAs(ours *entry) {
	e.Visibility, e.Keep, e.MaxPayloadBytes, e.Schema, e.Required = ours.Visibility, ours.Keep, ours.MaxPayloadBytes, ours.Schema, ours.Required
	e.schema = ours.schema
}
