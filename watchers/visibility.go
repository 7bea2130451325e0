package watchers

import (
	"context"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Sighting is what decides, of an activity, who may see it. OwnerID and ParentID stand in when the
// directory does not hold the resource any more; uuid.Nil is none.
type Sighting struct {
	ResourceID, OwnerID, ParentID, ActorID, TargetID uuid.UUID
	Visibility                                       activity.Visibility
}

// SightingOf returns an activity's.
func SightingOf(a *activity.Activity) Sighting {
	return Sighting{
		ResourceID: a.ResourceID, OwnerID: a.OwnerID, ParentID: a.ParentID, ActorID: a.ActorPrincipalID, TargetID: a.TargetPrincipalID,
		Visibility: a.Visibility,
	}
}

// Sees says which sightings the principal may see at this moment, as it would be decided for a
// subscriber at the sending: its owner, its delegators and its target see any activity; others one
// that is visible to the tenant, or to the resource or the scope if they hold a role there.
// Besides, the actor sees what they did. A principal that the directory marks inactive sees
// nothing.
//
// It is one statement, whose cost grows with the distinct resources that the sightings name.
func Sees(ctx context.Context, db pg.Querier, tenant, principal uuid.UUID, sightings []Sighting) ([]bool, error) {
	seen := make([]bool, len(sightings))
	if len(sightings) == 0 {
		return seen, nil
	}
	t, active, err := readTree(ctx, db, tenant, principal, seeds(principal, sightings))
	if err != nil || !active {
		return seen, err
	}
	type subject struct{ resource, owner, parent uuid.UUID }
	known := map[subject]standing{}
	for i, s := range sightings {
		if s.plain(principal) {
			seen[i] = true
			continue
		}
		key := subject{s.ResourceID, s.OwnerID, s.ParentID}
		is, ok := known[key]
		if !ok {
			is = t.standing(principal, s.ResourceID, s.OwnerID, s.ParentID)
			known[key] = is
		}
		seen[i] = is.sees(s.Visibility)
	}
	return seen, nil
}

// plain reports whether the principal sees it whatever the tree is.
func (s Sighting) plain(principal uuid.UUID) bool {
	return s.ActorID == principal || s.TargetID == principal || s.Visibility == activity.TenantVisible
}

// sees decides what depends on the tree.
func (s standing) sees(v activity.Visibility) bool {
	switch v {
	case activity.ScopeWide:
		return s.keeper || s.inScope
	case activity.ResourceWide:
		return s.keeper || s.onChain
	default:
		return s.keeper
	}
}

// seeds lists what the sightings need of the tree, each once.
func seeds(principal uuid.UUID, sightings []Sighting) []seed {
	var list []seed
	known := map[seed]struct{}{}
	for _, s := range sightings {
		if s.plain(principal) {
			continue
		}
		wanted := seed{resource: s.ResourceID, parent: s.ParentID, scope: s.Visibility == activity.ScopeWide}
		if _, ok := known[wanted]; !ok {
			known[wanted] = struct{}{}
			list = append(list, wanted)
		}
	}
	return list
}

// HasRole reports whether the tenant has the resource and the principal, not marked inactive, owns
// it or holds a role on it or an ancestor.
func HasRole(ctx context.Context, db pg.Querier, tenant, principal, resource uuid.UUID) (bool, error) {
	s, err := standingOf(ctx, db, tenant, principal, resource)
	return s.exists && (s.keeper || s.onChain), err
}

// IsKeeper reports whether the tenant has the resource and the principal, not marked inactive, is
// its owner or a delegator.
func IsKeeper(ctx context.Context, db pg.Querier, tenant, principal, resource uuid.UUID) (bool, error) {
	s, err := standingOf(ctx, db, tenant, principal, resource)
	return s.exists && s.keeper, err
}

func standingOf(ctx context.Context, db pg.Querier, tenant, principal, resource uuid.UUID) (standing, error) {
	t, active, err := readTree(ctx, db, tenant, principal, []seed{{resource: resource}})
	if err != nil || !active {
		return standing{}, err
	}
	return t.standing(principal, resource, uuid.Nil, uuid.Nil), nil
}
