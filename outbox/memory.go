package outbox

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// part is the part of a lane that a row belongs to. A lane usually has one part. While tenants have
// more activities in it than a claim takes, theirs are another part, which waits for the first: a
// tenant with a surge does not delay the others.
type part int

const (
	others  part = iota // the rows of the tenants that are not deferred
	backlog             // the rows of the deferred tenants
	parts
)

// memory is what a worker remembers of the rows of one lane: which tenants it defers, and the hints
// of each part. It may be lost at any time.
type memory struct {
	hints    [parts]hints
	seen     observed    // by the latest claim that committed, or probe that found nothing
	deferred []uuid.UUID // the tenants of the part backlog
}

// maxDeferred is the maximum number of deferred tenants of a lane. It bounds the claims'
// parameters.
const maxDeferred = 32

// deferTenants adds tenants to the deferred ones. Up to where the hints of one part say that rows
// are removed, those of the tenants are, whichever part they were in.
func (m *memory) deferTenants(tenants []uuid.UUID) {
	for _, tenant := range tenants {
		if len(m.deferred) >= maxDeferred || slices.Contains(m.deferred, tenant) {
			continue
		}
		if len(m.deferred) == 0 {
			m.hints[backlog] = m.hints[others].clone()
		} else {
			m.hints[backlog] = m.hints[backlog].merge(m.hints[others])
		}
		m.deferred = append(m.deferred, tenant)
	}
}

// join ends the deferral of all tenants.
func (m *memory) join() {
	if len(m.deferred) > 0 {
		*m = memory{hints: [parts]hints{others: m.hints[others].merge(m.hints[backlog])}, seen: m.seen}
	}
}

// hold reports whether the hints may be applied to a result of o.
func (m *memory) hold(o origin) bool {
	return m.hints[others].hold(o) && (len(m.deferred) == 0 || m.hints[backlog].hold(o)) &&
		(o.lastSeq == 0 || m.seen.lastSeq <= o.lastSeq)
}

// from sets the origin of the latest result that the hints include.
func (m *memory) from(o origin) {
	m.hints[others].origin, m.hints[backlog].origin = o, o
}

// forget clears the memory: the next claim scans the whole lane.
func (m *memory) forget() { *m = memory{} }

// passed reports whether a claim that found nothing saw that the part others ends above where its
// hints are: a settlement that removes nothing then spares the next claims the rows between.
func (m *memory) passed(c claimed) bool { return c.top > m.hints[others].pos }

// update updates the memory after a claim that has committed, and whose transaction had the id
// self, or that found nothing and had none, 0; or after a probe that found nothing, whose self is
// an id that was read after the sequence.
func (m *memory) update(c claimed, removed [parts]removal, self uint64) {
	for p := range parts {
		r := removed[p]
		switch {
		case !c.read[p]:
			continue
		case self != 0 && (r.rows > 0 || !r.cut && c.top > m.hints[p].pos):
			last := r.last
			if !r.cut {
				last = max(last, c.top)
			}
			m.hints[p].removed(c.snapshot, self, last, r.cut, m.seen)
		case !r.cut:
			m.hints[p].empty(c.snapshot)
		}
	}
	if self != 0 {
		m.seen = observed{self, c.origin.lastSeq}
	}
	m.from(c.origin)
	if c.read[backlog] && !removed[backlog].cut {
		m.join()
	}
}

// surges are the tenants that have lately filled claims, in any lane. A claim of a lane defers all
// of them, so that a surge is found in one lane and not in each.
type surges map[uuid.UUID]time.Time

// surgeFor is for how long after it has filled a claim a tenant counts as one with a surge.
const surgeFor = time.Second

// note adds the tenants with at least enough rows in a part, or, if rows of the part are left
// behind, with an eighth of those that were claimed.
func (s surges) note(c claimed, p part, enough int, now time.Time) {
	rows, all := map[uuid.UUID]int{}, 0
	for i := range c.items {
		if !c.items[i].parked && c.items[i].part == p {
			rows[c.items[i].TenantID]++
			all++
		}
	}
	for tenant, n := range rows {
		if n >= enough || c.cut[p] && n*8 >= all {
			s[tenant] = now
		}
	}
}

// tenants returns the tenants with a surge, and removes the others.
func (s surges) tenants(now time.Time) []uuid.UUID {
	var tenants []uuid.UUID
	for tenant, noted := range s {
		if now.Sub(noted) > surgeFor {
			delete(s, tenant)
			continue
		}
		tenants = append(tenants, tenant)
	}
	return tenants
}
