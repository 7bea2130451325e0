// Package churn simulates an application whose directory, groups, subscriptions, levels and
// preferences change all the time. It keeps a model of its state for the oracle. One tenant in
// three shares half of its ids with another tenant, so that a confusion of tenants would be
// detected.
package churn

import (
	"bytes"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// Options describe the size of a world. The zero value is usable.
type Options struct {
	Tenants int    // default 4
	People  int    // in all tenants; default 2,000
	Seed    uint64 // worlds of equal options are equal
}

// World is a set of tenants.
type World struct{ Tenants []*Tenant }

// Tenant has a root, two levels of folders below it, and signals in the folders.
type Tenant struct {
	ID      uuid.UUID
	Root    uuid.UUID
	Folders []uuid.UUID
	Signals []uuid.UUID // the first are the busiest
	People  []uuid.UUID
	Groups  []uuid.UUID

	Model *oracle.Tenant // the present state; only Next changes it

	unknown map[uuid.UUID]bool // principals that the directory does not contain
	removed []removal
}

// removal is a resource that is absent from the directory for some time.
type removal struct {
	id  uuid.UUID
	was oracle.Resource
}

// The contents of each tenant.
const (
	topFolders = 8
	subFolders = 3   // in each
	signals    = 200 // in all folders
)

// New returns a world.
func New(o Options) *World {
	if o.Tenants <= 0 {
		o.Tenants = 4
	}
	if o.People <= 0 {
		o.People = 2000
	}
	w := &World{}
	for i := range o.Tenants {
		random := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		t := &Tenant{ID: newID(random), Model: oracle.NewTenant(), unknown: map[uuid.UUID]bool{}}
		t.Model.Notify = notify
		var twin *Tenant
		if i%3 == 1 {
			twin = w.Tenants[i-1]
		}
		t.addResources(random, twin)
		t.addPeople(random, twin, (o.People+o.Tenants-1-i)/o.Tenants)
		t.addGroups(random, twin)
		w.Tenants = append(w.Tenants, t)
	}
	return w
}

// addResources builds the tree. A twin shares half of its signals' ids.
func (t *Tenant) addResources(random *rand.Rand, twin *Tenant) {
	t.Root = newID(random)
	t.Model.Resources[t.Root] = oracle.Resource{}
	for range topFolders {
		top := newID(random)
		t.Folders = append(t.Folders, top)
		t.Model.Resources[top] = oracle.Resource{Parent: t.Root}
		for range subFolders {
			sub := newID(random)
			t.Folders = append(t.Folders, sub)
			t.Model.Resources[sub] = oracle.Resource{Parent: top}
		}
	}
	for i := range signals {
		id := newID(random)
		if twin != nil && i%2 == 0 {
			id = twin.Signals[i]
		}
		t.Signals = append(t.Signals, id)
		t.Model.Resources[id] = oracle.Resource{Parent: pick(random, t.Folders)}
	}
}

// addPeople adds n principals. A twin shares half of its ids.
func (t *Tenant) addPeople(random *rand.Rand, twin *Tenant, n int) {
	for i := range n {
		id := newID(random)
		if twin != nil && i%2 == 0 && i < len(twin.People) {
			id = twin.People[i]
		}
		t.People = append(t.People, id)
		switch random.IntN(40) {
		case 0:
			t.unknown[id] = true
		case 1:
			t.Model.Inactive[id] = true
		}
		where := pick(random, t.Folders)
		if random.IntN(10) == 0 {
			where = t.Root
		}
		t.Model.SetRoles(id, where, randomRole(random))
		for range 5 {
			t.Model.SetSubscriptions(id, t.busy(random), oracle.ScopeResource)
		}
		if random.IntN(3) == 0 {
			t.Model.SetSubscriptions(id, pick(random, t.Folders), oracle.ScopeDescendants)
		}
		if random.IntN(4) > 0 {
			t.Model.Preferences[id] = randomPreference(random)
		}
	}
	for _, id := range t.Signals {
		if random.IntN(2) == 0 {
			r := t.Model.Resources[id]
			r.Owner = pick(random, t.People)
			t.Model.Resources[id] = r
		}
	}
}

// busy returns a random signal, such that a few are concerned by most activities and changes.
func (t *Tenant) busy(random *rand.Rand) uuid.UUID {
	return t.Signals[int(random.ExpFloat64()*float64(len(t.Signals))/8)%len(t.Signals)]
}

func randomRole(random *rand.Rand) oracle.Roles {
	switch random.IntN(20) {
	case 0:
		return oracle.OwnerRole
	case 1:
		return oracle.Delegator
	case 2, 3, 4, 5:
		return oracle.Editor
	default:
		return oracle.Viewer
	}
}

var patterns = []string{
	"transfer.*",
	"*.created",
	"resource.[uv]*",
	"promotion.?ranted",
	"comment.*",
	"*",
	"signal.[!c]*",
	"transfer.requested",
}

func randomPreference(random *rand.Rand) oracle.Preference {
	p := oracle.Preference{
		Mode: pick(random, []string{"all", "all", "mutations", "custom", "custom", "unknown", ""}),
	}
	if random.IntN(6) > 0 {
		p.Patterns = []string{}
		for range random.IntN(4) {
			p.Patterns = append(p.Patterns, pick(random, patterns))
		}
	}
	if random.IntN(6) > 0 {
		p.Muted = new(random.IntN(8) == 0)
	}
	if random.IntN(6) == 0 {
		p.MutedActions = []string{pick(random, patterns)}
	}
	return p
}

func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

// pickID picks one of ids that are in the random order of a map, so that a seed reproduces it.
func pickID(random *rand.Rand, ids []uuid.UUID) uuid.UUID {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return pick(random, ids)
}

func newID(random *rand.Rand) uuid.UUID {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(random.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}
