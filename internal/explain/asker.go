package explain

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Asker is who asks. An operator may ask about every activity of the tenant and sees everything.
// Any other asker may ask about themself if they may see the activity, and about others if they
// manage its resource: as its owner or as a delegator.
//
// About a principal whom the activity does not concern, no other asker learns more than that. Ids
// and names of roles are withheld as follows. About themself, askers see the subscriptions and
// roles that they hold, and the groups through which they hold them, but no resource on which they
// have neither a role nor a subscription of their own. About others, they see what is on resources
// that they manage.
type Asker struct {
	activity.Principal
	Operator bool
}

// permitted returns the activity with an id about which the asker may ask with regard to a
// principal, or with regard to everybody if that is uuid.Nil. Otherwise the error is
// activity.ErrNotFound. It decides about an activity that does not exist as about one that does, so
// that the time does not tell.
func (x *Explainer) permitted(ctx context.Context, by Asker, id, about uuid.UUID) (activity.Activity, error) {
	a, err := pglog.New(x.DB).Get(ctx, by.TenantID, id)
	missing := errors.Is(err, activity.ErrNotFound)
	if err != nil && !missing {
		return activity.Activity{}, err
	}
	allowed := by.Operator
	if !by.Operator {
		access, err := directory.AccessToActivity(ctx, x.DB, by.Principal, directory.AccessQueryFor(&a))
		if err != nil {
			return activity.Activity{}, err
		}
		allowed = access.Manager || about == by.PrincipalID && directory.Allowed(a.Visibility, access)
	}
	if missing || !allowed {
		return activity.Activity{}, fmt.Errorf("activity %s: %w", id, activity.ErrNotFound)
	}
	return a, nil
}

// sight is what an asker may see of what an answer rests on.
type sight struct {
	by     Asker
	access map[uuid.UUID]directory.Access // to resources, of an asker who is no operator
}

// lookAt reads the asker's access to the resources of grounds and levels.
func (x *Explainer) lookAt(ctx context.Context, by Asker, found *findings) (sight, error) {
	s := sight{by: by, access: map[uuid.UUID]directory.Access{}}
	if by.Operator {
		return s, nil
	}
	var resources []uuid.UUID
	add := func(id uuid.UUID) {
		if _, known := s.access[id]; !known && id != uuid.Nil {
			s.access[id] = directory.Access{}
			resources = append(resources, id)
		}
	}
	for _, list := range found.grounds {
		for _, g := range list {
			add(g.ResourceID)
		}
	}
	for _, c := range found.candidates {
		add(c.LevelResourceID)
	}
	access, err := directory.AccessToEach(ctx, x.DB, by.Principal, resources)
	if err != nil {
		return sight{}, err
	}
	for i, id := range resources {
		s.access[id] = access[i]
	}
	return s, nil
}

// ground describes a ground of a principal, as far as the asker may see it.
func (s sight) ground(principal uuid.UUID, g watchers.Ground) Ground {
	shown := Ground{Kind: kindRole, Where: whereOf(g.Above), Scope: g.Scope, Role: g.Role}
	if g.SubscriptionID != uuid.Nil {
		shown.Kind = kindSubscription
	}
	self, own := principal == s.by.PrincipalID, g.HolderID == principal
	access := s.access[g.ResourceID]
	resource := s.by.Operator || access.Manager ||
		self && (own || access.OnChain || g.Above == 0)
	holder := s.by.Operator || access.Manager || self
	if resource {
		shown.ResourceID = &g.ResourceID
	}
	if holder {
		shown.SubscriptionID = idOrNil(g.SubscriptionID)
		if !own {
			shown.GroupID = &g.HolderID
		}
	}
	if shown.Withheld = !resource || !holder; shown.Withheld {
		shown.Role = ""
	}
	return shown
}

// sees reports whether the asker may see more of a principal than that the activity does not
// concern it.
func (s sight) sees(principal uuid.UUID, concerned bool) bool {
	return concerned || s.by.Operator || principal == s.by.PrincipalID
}

// seesLevel reports whether the asker may see for which resource a principal has set a level.
func (s sight) seesLevel(principal, resource uuid.UUID) bool {
	return s.by.Operator || principal == s.by.PrincipalID || s.access[resource].Manager
}

// group returns a group through which a principal is concerned, or nil if the asker may not see it:
// if none of the grounds that the asker sees names it.
func (s sight) group(principal, group uuid.UUID, shown []Ground) *uuid.UUID {
	if group == uuid.Nil || s.by.Operator || principal == s.by.PrincipalID {
		return idOrNil(group)
	}
	for _, g := range shown {
		if g.GroupID != nil && *g.GroupID == group {
			return &group
		}
	}
	return nil
}

func whereOf(distance int) string {
	switch {
	case distance == watchers.Beside:
		return beside
	case distance == 0:
		return onResource
	default:
		return above
	}
}
