package fanout

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// Told is a watcher of one activity.
type Told struct {
	PrincipalID uuid.UUID
	Reasons     watchers.Reasons // those that hold for this activity
	Push        bool             // false: the inbox row only
}

// Dropped counts the candidates who are not told, by the stage that dropped them.
type Dropped struct {
	Actor      int // did it themselves
	Inactive   int // marked so by the directory
	Permission int // may not see it, or not any more
	Muted      int // want to hear of nothing
	Filtered   int // want to hear of other actions
}

func (d *Dropped) add(o Dropped) {
	d.Actor += o.Actor
	d.Inactive += o.Inactive
	d.Permission += o.Permission
	d.Muted += o.Muted
	d.Filtered += o.Filtered
}

// wants says whether somebody with this preference wants to hear of an action; *preferences.Batch
// and *preferences.Filter do.
type wants interface {
	Wants(p preferences.Preference, action string) bool
}

// decide says which candidates are told of an activity: not its actor; of the rest who may see it,
// who want to, and its target.
func decide(a *activity.Activity, candidates []watchers.Candidate, filter wants) ([]Told, Dropped) {
	told := make([]Told, 0, len(candidates))
	var dropped Dropped
	for _, c := range candidates {
		c.Reasons &^= watchers.Target
		if c.PrincipalID == a.TargetPrincipalID {
			c.Reasons |= watchers.Target
		}
		switch {
		case c.Reasons == 0:
			// A candidate only as the target of another activity on the same resource.
		case c.PrincipalID == a.ActorPrincipalID:
			dropped.Actor++
		case c.Inactive:
			dropped.Inactive++
		default:
			reasons := permitted(a.Visibility, c)
			preference := preferences.Preference{
				Mode:          preferences.Mode(c.FilterMode),
				CustomActions: c.CustomActions,
				Muted:         c.Muted,
			}
			switch {
			case reasons == 0:
				dropped.Permission++
			case reasons.Has(watchers.Target):
				told = append(told, Told{PrincipalID: c.PrincipalID, Reasons: reasons, Push: !c.Muted})
			case c.Muted:
				dropped.Muted++
			case !filter.Wants(preference, a.Action):
				dropped.Filtered++
			default:
				told = append(told, Told{PrincipalID: c.PrincipalID, Reasons: reasons, Push: true})
			}
		}
	}
	return told, dropped
}

// permitted returns the reasons for which a candidate may be told. Only a subscription depends on
// more than itself: it was made once, and what counts is what its holder may see now.
func permitted(v activity.Visibility, c watchers.Candidate) watchers.Reasons {
	allowed := false
	switch v {
	case activity.TenantVisible:
		allowed = true
	case activity.ScopeWide:
		allowed = c.OnChain || c.InScope
	case activity.ResourceWide:
		allowed = c.OnChain
	case activity.Private:
	}
	if !allowed {
		return c.Reasons &^ watchers.Subscribed
	}
	return c.Reasons
}

// rolesFor says what must be known of a subscriber to decide.
func rolesFor(v activity.Visibility) watchers.Roles {
	switch v {
	case activity.ResourceWide:
		return watchers.RolesOnChain
	case activity.ScopeWide:
		return watchers.RolesOnChain | watchers.RolesInScope
	default:
		return 0
	}
}
