package oracle

import "github.com/google/uuid"

// maxNesting is how many memberships may lie between a principal and a group that it belongs to.
const maxNesting = 8

// isGroup reports whether a principal is a group, which is never notified itself.
func (t *Tenant) isGroup(id uuid.UUID) bool { return t.Kind[id] || len(t.members[id]) > 0 }

// holders returns the principal and all groups that it belongs to: what any of them holds, the
// principal holds.
func (t *Tenant) holders(principal uuid.UUID) map[uuid.UUID]bool {
	return reach(t.groups, principal)
}

// everybody returns a principal or a group, and all who belong to it.
func (t *Tenant) everybody(id uuid.UUID) map[uuid.UUID]bool { return reach(t.members, id) }

// reach returns what is at most maxNesting steps away.
func reach(steps map[uuid.UUID]map[uuid.UUID]bool, from uuid.UUID) map[uuid.UUID]bool {
	found := map[uuid.UUID]bool{from: true}
	for range maxNesting {
		size := len(found)
		var next []uuid.UUID
		for id := range found {
			for step := range steps[id] {
				next = append(next, step)
			}
		}
		for _, id := range next {
			found[id] = true
		}
		if len(found) == size {
			break
		}
	}
	return found
}
