// Package archive generates a large installation of two months: tenants with trees of resources,
// people with roles, subscriptions, preferences and inboxes, and the log. Apart from the dates it
// is the same in each run.
package archive

import (
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// Options describe the size. The zero value is usable.
type Options struct {
	Tenants    int // default 10
	Principals int // in all tenants; default 10,000
	Resources  int // in all tenants, without folders and projects; default 20,000
	Activities int // in all tenants; default 1,000,000
}

func (o Options) withDefaults() Options {
	set := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	set(&o.Tenants, 10)
	set(&o.Principals, 10_000)
	set(&o.Resources, 20_000)
	set(&o.Activities, 1_000_000)
	return o
}

// Archive is an installation.
type Archive struct {
	Tenants []*Tenant

	activities int
	began      time.Time
	random     *rand.Rand
}

// Principal is a possible caller of the API.
type Principal struct{ Tenant, ID uuid.UUID }

// Tenant has a root, folders below it, projects in the folders, and resources in the projects. Each
// principal has a role on one folder and on two other projects; one in twenty has a role on the
// root instead.
type Tenant struct {
	ID      uuid.UUID
	root    uuid.UUID
	folders []*folder
	people  []uuid.UUID

	inactive map[uuid.UUID]bool // of people; drawn by Load

	resources []*resource // the first are the busiest
}

type folder struct {
	id       uuid.UUID
	projects []uuid.UUID
	members  []uuid.UUID
	held     []*resource // below it
}

type resource struct {
	id, project, owner uuid.UUID
	name               string
	members            []uuid.UUID // of the folder
	watchers           []uuid.UUID
}

// The contents of each tenant.
const (
	folders  = 20
	projects = 10 // in a folder
	age      = 60 * 24 * time.Hour
	seed     = 20_260_202
)

// New returns an archive that ends now.
func New(o Options) *Archive {
	o = o.withDefaults()
	a := &Archive{activities: o.Activities, began: time.Now().Add(-age), random: rand.New(rand.NewPCG(seed, seed))}
	for i := range o.Tenants {
		a.Tenants = append(a.Tenants, a.newTenant(share(o.Principals, o.Tenants, i), share(o.Resources, o.Tenants, i)))
	}
	return a
}

// share returns the size of part i of total divided as evenly as possible.
func share(total, parts, i int) int { return (total + parts - 1 - i) / parts }

func (a *Archive) newTenant(people, resources int) *Tenant {
	t := &Tenant{ID: a.newID(), root: a.newID(), inactive: map[uuid.UUID]bool{}}
	for range folders {
		f := &folder{id: a.newID()}
		for range projects {
			f.projects = append(f.projects, a.newID())
		}
		t.folders = append(t.folders, f)
	}
	for i := range people {
		id := a.newID()
		t.people = append(t.people, id)
		f := t.folders[i%folders]
		f.members = append(f.members, id)
	}
	for i := range resources {
		f := t.folders[a.random.IntN(folders)]
		r := &resource{
			id:      a.newID(),
			project: pick(a.random, f.projects),
			name:    names[i%len(names)],
			members: f.members,
		}
		if len(f.members) > 0 {
			r.owner = pick(a.random, f.members)
		}
		f.held, t.resources = append(f.held, r), append(t.resources, r)
	}
	return t
}

var names = []string{
	"Momentum 12",
	"Weekly report",
	"Customer churn",
	"Rebalancing",
	"Alert thresholds",
	"Dataset of the third quarter",
	"Budget",
	"Onboarding",
}

// Principals lists the principals of all tenants, without the inactive ones, which the API refuses.
// It is called after Load.
func (a *Archive) Principals() []Principal {
	var list []Principal
	for _, t := range a.Tenants {
		for _, id := range t.people {
			if !t.inactive[id] {
				list = append(list, Principal{t.ID, id})
			}
		}
	}
	return list
}

// busy returns a random resource, such that a fifth of them accounts for most activities.
func (t *Tenant) busy(random *rand.Rand) *resource {
	return t.resources[int(random.ExpFloat64()*float64(len(t.resources))/8)%len(t.resources)]
}

func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

func (a *Archive) newID() uuid.UUID {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(a.random.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// timedID returns a random UUIDv7 of a time.
func (a *Archive) timedID(at time.Time) uuid.UUID { return uuidv7.At(at, a.newID()) }
