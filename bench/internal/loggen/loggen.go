// Package loggen generates a log of several months: many tenants, of which a few have most
// activities, busy and idle actors and resources, workflows that share a correlation, and texts of
// typical lengths. Apart from the dates it is the same in each run.
package loggen

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// Options describe the size. The zero value is usable.
type Options struct {
	Activities   int  // in all tenants; default 10,000,000
	Tenants      int  // default 50
	Months       int  // that the log covers; default 6
	Connections  int  // that load the log; default 3
	IndexesFirst bool // create the indexes before the rows
}

func (o Options) withDefaults() Options {
	set := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	set(&o.Activities, 10_000_000)
	set(&o.Tenants, 50)
	set(&o.Months, 6)
	set(&o.Connections, 3)
	return o
}

// Log is a generated log.
type Log struct {
	options      Options
	began, ended time.Time
	tenants      []*tenant
	draw         [1 << 12]uint8 // tenants, each with a number of entries in proportion to its share
	written      atomic.Int64
}

// New returns a log that ends now.
func New(o Options) *Log {
	o = o.withDefaults()
	o.Tenants = min(o.Tenants, 256)
	now := time.Now().UTC()
	l := &Log{options: o, began: now.AddDate(0, -o.Months, 0), ended: now}
	random := rand.New(rand.NewPCG(seed, 0))
	var sum float64
	for i := range o.Tenants {
		sum += 1 / float64(i+1)
	}
	filled := 0
	for i := range o.Tenants {
		share := 1 / float64(i+1) / sum
		l.tenants = append(l.tenants, newTenant(random, int(share*float64(o.Activities))))
		for n := max(1, int(share*float64(len(l.draw)))); n > 0 && filled < len(l.draw); n-- {
			l.draw[filled] = uint8(i)
			filled++
		}
	}
	return l // the remaining entries of draw belong to the first tenant
}

// Activities returns the number of activities.
func (l *Log) Activities() int { return l.options.Activities }

// Written returns the number of activities that have been written.
func (l *Log) Written() int { return int(l.written.Load()) }

const seed = 20_261_121

// tenant has people and resources of each type; the first of each are the busiest.
type tenant struct {
	id        uuid.UUID
	people    []uuid.UUID
	resources map[string][]resource
}

type resource struct {
	id, owner, parent uuid.UUID
	name              string
}

// newTenant returns a tenant with a number of activities.
func newTenant(random *rand.Rand, activities int) *tenant {
	t := &tenant{id: newID(random), resources: map[string][]resource{}}
	for range min(max(activities/2000, 10), 5000) {
		t.people = append(t.people, newID(random))
	}
	var folders []uuid.UUID
	for range 1 + len(t.people)/10 {
		folders = append(folders, newID(random))
	}
	for _, h := range eventKinds {
		if t.resources[h.resourceType] != nil {
			continue
		}
		for i := range max(activities/400, 5) {
			r := resource{id: newID(random), parent: folders[random.IntN(len(folders))], name: names[i%len(names)]}
			if random.IntN(20) > 0 {
				r.owner = t.people[random.IntN(len(t.people))]
			}
			t.resources[h.resourceType] = append(t.resources[h.resourceType], r)
		}
	}
	return t
}

// busy returns a random element, mostly of the first fifth.
func busy[T any](random *rand.Rand, list []T) T {
	return list[int(random.ExpFloat64()*float64(len(list))/8)%len(list)]
}

func newID(random *rand.Rand) uuid.UUID {
	var id uuid.UUID
	high, low := random.Uint64(), random.Uint64()
	for i := range 8 {
		id[i], id[8+i] = byte(high>>(8*i)), byte(low>>(8*i))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// timedID returns a random UUIDv7 of a time.
func timedID(random *rand.Rand, at time.Time) uuid.UUID { return uuidv7.At(at, newID(random)) }
