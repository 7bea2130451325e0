// Package randomworld generates tenants for property tests: a tree with cycles and missing
// resources, groups in groups, role bindings, subscriptions, levels, preferences and defaults, and
// activities about them. A World keeps a model of its tenant for the oracle.
//
// All tenants use the same ids of principals and resources, so that a confusion of tenants is
// detected. Everything follows from a seed: a test that fails prints it.
package randomworld

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// World is one tenant. It is not safe for concurrent use.
type World struct {
	Seed  uint64 // of New
	ID    uuid.UUID
	Model *oracle.Tenant

	People    []uuid.UUID // everyone who is not meant as a group
	Groups    []uuid.UUID
	Resources []uuid.UUID

	random  *rand.Rand
	unknown map[uuid.UUID]bool // principals that the directory does not contain
}

// The contents of each tenant.
const (
	people    = 24
	groups    = 12
	resources = 20
)

// New returns the world of a seed.
func New(seed uint64) *World {
	w := &World{
		Seed: seed, ID: newID("tenant", int(seed)), Model: oracle.NewTenant(),
		random: rand.New(rand.NewPCG(seed, 0)), unknown: map[uuid.UUID]bool{},
	}
	w.Model.Notify = map[string]string{}
	for action, notify := range Notify() {
		w.Model.Notify[action] = string(notify)
	}
	for i := range people {
		w.People = append(w.People, newID("principal", i))
	}
	for i := range groups {
		w.Groups = append(w.Groups, newID("group", i))
	}
	for i := range resources {
		w.Resources = append(w.Resources, newID("resource", i))
	}
	w.addPrincipals()
	w.addTree()
	w.addMembers()
	w.addRoles()
	w.addSubscriptions()
	w.addLevels()
	w.addPreferences()
	return w
}

// Everybody returns all principals and groups, and one that the tenant does not have.
func (w *World) Everybody() []uuid.UUID {
	all := append(append([]uuid.UUID{}, w.People...), w.Groups...)
	return append(all, newID("principal", people))
}

// chance reports true in one of n cases.
func (w *World) chance(n int) bool { return w.random.IntN(n) == 0 }

func (w *World) principal() uuid.UUID { return pick(w.random, w.People) }

func (w *World) resource() uuid.UUID { return pick(w.random, w.Resources) }

// holder returns a principal or, less often, a group.
func (w *World) holder() uuid.UUID {
	if w.chance(3) {
		return pick(w.random, w.Groups)
	}
	return w.principal()
}

func (w *World) addPrincipals() {
	for _, id := range w.People {
		switch w.random.IntN(8) {
		case 0:
			w.unknown[id] = true
		case 1:
			w.Model.Inactive[id] = true
		}
	}
	for _, id := range w.Groups {
		switch w.random.IntN(4) {
		case 0:
			w.unknown[id] = true // a group by its members, if it has any
		case 1:
			w.Model.Kind[id] = true
		}
	}
}

// addTree builds a tree whose resources are mostly below earlier ones. Few parents form a cycle or
// do not exist, and some resources are missing from the directory.
func (w *World) addTree() {
	for i, id := range w.Resources {
		var r oracle.Resource
		switch n := w.random.IntN(20); {
		case n == 0:
			r.Parent = w.resource() // maybe a cycle, maybe itself
		case i > 0 && n < 17:
			r.Parent = w.Resources[i-1-w.random.IntN(min(i, 4))]
		}
		if w.chance(2) {
			r.Owner = w.holder()
		}
		if !w.chance(8) {
			w.Model.Resources[id] = r
		}
	}
}

// addMembers fills the groups. Half of them form a line, which is deeper than nesting counts.
func (w *World) addMembers() {
	for i, id := range w.Groups {
		if i > 0 && i < groups-2 && !w.chance(8) {
			w.Model.SetMember(w.Groups[i-1], id, true)
		}
		for range w.random.IntN(3) {
			w.Model.SetMember(id, w.principal(), true)
		}
		if w.chance(6) {
			w.Model.SetMember(id, pick(w.random, w.Groups), true) // maybe a cycle, maybe itself
		}
	}
}

func (w *World) addRoles() {
	for range 20 + w.random.IntN(30) {
		role := oracle.Roles(1 << w.random.IntN(4))
		if w.chance(2) {
			role = oracle.Viewer
		}
		holder, resource := w.holder(), w.resource()
		w.Model.SetRoles(holder, resource, w.Model.Roles(holder, resource)|role)
	}
}

func (w *World) addSubscriptions() {
	for range 20 + w.random.IntN(40) {
		holder, resource := w.holder(), w.resource()
		scope := oracle.Scopes(1 << w.random.IntN(2))
		w.Model.SetSubscriptions(holder, resource, w.Model.Subscriptions(holder, resource)|scope)
	}
}

func (w *World) addLevels() {
	for range w.random.IntN(60) {
		w.Model.SetLevel(w.principal(), w.resource(), &oracle.Level{
			Name:     pick(w.random, []string{"all", "custom", "participating", "ignore"}),
			Below:    !w.chance(3),
			Patterns: w.patterns(),
		})
	}
}

func (w *World) addPreferences() {
	for _, id := range w.People {
		if w.chance(3) {
			continue
		}
		p := w.preference()
		for range w.random.IntN(3) {
			if w.chance(2) {
				p.MutedActors = append(p.MutedActors, w.principal())
			}
		}
		w.Model.Preferences[id] = p
	}
	if w.chance(2) {
		w.Model.Defaults = w.preference()
	}
}

// preference returns a preference, some of whose fields are not set.
func (w *World) preference() (p oracle.Preference) {
	if !w.chance(3) {
		p.Mode = pick(w.random, []string{"all", "mutations", "custom", "custom"})
	}
	if !w.chance(3) {
		p.Patterns = w.patterns()
	}
	if w.chance(3) {
		p.Muted = new(w.chance(2))
	}
	if w.chance(2) {
		p.MutedActions = w.patterns()
	}
	return p
}

// patterns returns few patterns; not nil.
func (w *World) patterns() []string {
	list := []string{}
	for range w.random.IntN(3) {
		list = append(list, pick(w.random, []string{
			"signal.*", "*.created", "resource.[uv]*", "comment.?dded", "*", "signal.[!c]*", "transfer.requested",
		}))
	}
	return list
}

// Notify returns what the taxonomy of all worlds says of actions.
func Notify() map[string]activity.Notify {
	return map[string]activity.Notify{
		"signal.created":  activity.NotifyOptional,
		"comment.added":   activity.NotifyDefault,
		"alarm.raised":    activity.NotifyMandatory,
		"resource.viewed": activity.NotifyOptional,
	}
}

func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

// newID returns the id of a name, in no order.
func newID(kind string, n int) uuid.UUID {
	sum := sha256.Sum256(fmt.Append(nil, "random world ", kind, n))
	id := uuid.UUID(sum[:16])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}
