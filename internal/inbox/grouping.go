package inbox

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// GroupBy selects what the notifications of a group have in common.
type GroupBy string

// The groupings.
const (
	ByResource    GroupBy = "resource"    // the resource of the activity
	ByCorrelation GroupBy = "correlation" // the correlation id of the activity
	ByBurst       GroupBy = "burst"       // the resource and the actor, without a pause longer than BurstGap
)

// BurstGap is the longest time between two consecutive activities of a burst.
const BurstGap = 10 * time.Minute

// The bounds of a Group.
const (
	GroupItems  = 3 // notifications that it has
	GroupActors = 5 // actors that it has
)

// Group is a number of notifications that have something in common.
type Group struct {
	ResourceID    uuid.UUID // by resource and burst
	CorrelationID uuid.UUID // by correlation
	ActorID       uuid.UUID // by burst

	Total, Unread int
	Oldest        time.Time      // when the oldest activity was recorded
	Newest        time.Time      // when the newest activity was recorded
	Items         []Notification // the newest ones, newest first; at most GroupItems
	Actors        []uuid.UUID    // of the newest activities first, each once; at most GroupActors
	ActorCount    int            // the number of distinct actors
}

// add adds a notification that is older than those added before.
func (g *Group) add(n *Notification) {
	at := n.Activity.RecordedAt
	if g.Total == 0 {
		g.Oldest, g.Newest = at, at
	}
	if g.Total++; n.ReadAt == nil {
		g.Unread++
	}
	if at.Before(g.Oldest) {
		g.Oldest = at
	}
	if at.After(g.Newest) {
		g.Newest = at
	}
	if len(g.Items) < GroupItems {
		g.Items = append(g.Items, *n)
	}
}

// newest returns the id of the newest notification.
func (g *Group) newest() uuid.UUID { return g.Items[0].ID }

// groupKey is what the notifications of a group have in common.
type groupKey struct{ resource, correlation, actor uuid.UUID }

func (by GroupBy) key(n *Notification) groupKey {
	switch by {
	case ByCorrelation:
		return groupKey{correlation: n.Activity.CorrelationID}
	case ByBurst:
		return groupKey{resource: n.Activity.ResourceID, actor: n.Activity.ActorPrincipalID}
	case ByResource:
	}
	return groupKey{resource: n.Activity.ResourceID}
}

// group groups notifications, which are ordered newest first. The groups are in the order of their
// newest notifications.
func group(by GroupBy, list []Notification) []*Group {
	type member struct {
		group *Group
		actor uuid.UUID
	}
	groups := []*Group{}
	open := make(map[groupKey]*Group)
	known := make(map[member]struct{})
	for i := range list {
		n := &list[i]
		key := by.key(n)
		g := open[key]
		if g == nil || by == ByBurst && g.Oldest.Sub(n.Activity.RecordedAt) > BurstGap {
			g = &Group{ResourceID: key.resource, CorrelationID: key.correlation, ActorID: key.actor}
			open[key] = g
			groups = append(groups, g)
		}
		g.add(n)
		m := member{g, n.Activity.ActorPrincipalID}
		if _, found := known[m]; !found {
			known[m] = struct{}{}
			if g.ActorCount++; len(g.Actors) < GroupActors {
				g.Actors = append(g.Actors, m.actor)
			}
		}
	}
	return groups
}

// pageOf returns the groups after the one whose newest notification is given, at most limit, and
// whether there are more. uuid.Nil is before the first.
func pageOf(groups []*Group, after uuid.UUID, limit int) (page []*Group, more bool) {
	if after != uuid.Nil {
		first := slices.IndexFunc(groups, func(g *Group) bool { return less(g.newest(), after) })
		if first < 0 {
			return nil, false
		}
		groups = groups[first:]
	}
	if len(groups) > limit {
		return groups[:limit], true
	}
	return groups, false
}
