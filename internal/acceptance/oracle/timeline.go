package oracle

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Change is one transaction that changed a tenant. It took place at some moment between Sent and
// Returned.
type Change struct {
	Sent, Returned time.Time
	Apply          func(t *Tenant)
}

// Sending is an activity with the moments between which somebody decided who hears of it: when its
// COMMIT was sent, and when it was seen that it is not in the outbox any more.
type Sending struct {
	Activity
	Committed, Settled time.Time
}

// Class is what may be asked of a sending and a principal.
type Class int

// The classes. Everybody whom a Verdict does not name is MustNot.
const (
	MustNot Class = iota // would not hear of it in any state that the tenant was in
	Either               // would in some
	Must                 // would in all
)

// Verdict is who hears of one activity.
type Verdict struct {
	Push, Inbox map[uuid.UUID]Class
	States      int // of the tenant that it may have been sent in
}

// Judge replays a tenant's changes, which took place one after the other in their order, on its
// first state, and judges all sendings by every state that they may have been sent in.
func Judge(first *Tenant, changes []Change, sendings []Sending) map[uuid.UUID]Verdict {
	// A change is seen for sure by who looks after it returned, and not by who looked before it was
	// sent.
	type span struct {
		*Sending
		from, to int // numbers of changes made
	}
	spans := make([]span, len(sendings))
	for i := range sendings {
		s := &sendings[i]
		from, _ := slices.BinarySearchFunc(
			changes,
			s.Committed,
			func(c Change, at time.Time) int { return c.Returned.Compare(at) },
		)
		to, _ := slices.BinarySearchFunc(
			changes,
			s.Settled,
			func(c Change, at time.Time) int { return c.Sent.Compare(at) },
		)
		spans[i] = span{s, from, to}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })

	counts := make(map[uuid.UUID]*count, len(sendings))
	var open []span
	for made := range len(changes) + 1 {
		if made > 0 {
			changes[made-1].Apply(first)
		}
		for len(spans) > 0 && spans[0].from == made {
			counts[spans[0].ID] = &count{push: map[uuid.UUID]int{}, inbox: map[uuid.UUID]int{}}
			open, spans = append(open, spans[0]), spans[1:]
		}
		for _, s := range open {
			counts[s.ID].add(first.Told(s.Activity))
		}
		open = slices.DeleteFunc(open, func(s span) bool { return s.to == made })
	}
	verdicts := make(map[uuid.UUID]Verdict, len(counts))
	for id, c := range counts {
		verdicts[id] = Verdict{Push: classes(c.push, c.states), Inbox: classes(c.inbox, c.states), States: c.states}
	}
	return verdicts
}

// count is in how many states each principal hears of an activity.
type count struct {
	push, inbox map[uuid.UUID]int
	states      int
}

func (c *count) add(told map[uuid.UUID]Told) {
	c.states++
	for principal, how := range told {
		if how.Push {
			c.push[principal]++
		}
		if how.Inbox {
			c.inbox[principal]++
		}
	}
}

func classes(counts map[uuid.UUID]int, states int) map[uuid.UUID]Class {
	found := make(map[uuid.UUID]Class, len(counts))
	for principal, n := range counts {
		found[principal] = Either
		if n == states {
			found[principal] = Must
		}
	}
	return found
}
