package oracle

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Change is one transaction that changed a tenant. It took effect at some moment between Sent and
// Returned.
type Change struct {
	Sent, Returned time.Time
	Apply          func(t *Tenant)
}

// Window is an activity with the interval in which its recipients were resolved: Committed is when
// its COMMIT was sent, Settled is when an observer no longer found it in the outbox.
type Window struct {
	Activity
	Committed, Settled time.Time
}

// Class is the requirement on one activity and one principal.
type Class int

// The classes. A principal that an Expectation does not contain is MustNot.
const (
	MustNot Class = iota // not a recipient in any state that the tenant was in
	May                  // a recipient in some states
	Must                 // a recipient in all states
)

// Expectation describes the recipients of one activity.
type Expectation struct {
	Push, Inbox map[uuid.UUID]Class
	States      int // number of states of the tenant in which the recipients may have been resolved
}

// Expect replays a tenant's changes, which took place one after the other in their order, on its
// first state, and returns the expectation of each activity by its id. It modifies first.
func Expect(first *Tenant, changes []Change, windows []Window) map[uuid.UUID]Expectation {
	// A reader certainly sees a change if it starts after the change returned, and does not see it
	// if it ends before the change was sent.
	type span struct {
		*Window
		from, to int // numbers of changes applied
	}
	spans := make([]span, len(windows))
	for i := range windows {
		w := &windows[i]
		from, _ := slices.BinarySearchFunc(changes, w.Committed, func(c Change, at time.Time) int {
			return c.Returned.Compare(at)
		})
		to, _ := slices.BinarySearchFunc(changes, w.Settled, func(c Change, at time.Time) int {
			return c.Sent.Compare(at)
		})
		spans[i] = span{w, from, to}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })

	counts := make(map[uuid.UUID]*count, len(windows))
	var open []span
	for applied := range len(changes) + 1 {
		if applied > 0 {
			changes[applied-1].Apply(first)
		}
		for len(spans) > 0 && spans[0].from == applied {
			counts[spans[0].ID] = &count{push: map[uuid.UUID]int{}, inbox: map[uuid.UUID]int{}}
			open, spans = append(open, spans[0]), spans[1:]
		}
		for _, s := range open {
			counts[s.ID].add(first.Recipients(s.Activity))
		}
		open = slices.DeleteFunc(open, func(s span) bool { return s.to == applied })
	}
	expected := make(map[uuid.UUID]Expectation, len(counts))
	for id, c := range counts {
		expected[id] = Expectation{Push: classes(c.push, c.states), Inbox: classes(c.inbox, c.states), States: c.states}
	}
	return expected
}

// count is the number of states in which each principal is a recipient of an activity.
type count struct {
	push, inbox map[uuid.UUID]int
	states      int
}

func (c *count) add(recipients map[uuid.UUID]Delivery) {
	c.states++
	for principal, delivery := range recipients {
		if delivery.Push {
			c.push[principal]++
		}
		if delivery.Inbox {
			c.inbox[principal]++
		}
	}
}

func classes(counts map[uuid.UUID]int, states int) map[uuid.UUID]Class {
	found := make(map[uuid.UUID]Class, len(counts))
	for principal, n := range counts {
		found[principal] = May
		if n == states {
			found[principal] = Must
		}
	}
	return found
}
