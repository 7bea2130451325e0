package fanout

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Recipient is a candidate that passed permission and preferences.
type Recipient struct {
	PrincipalID uuid.UUID
	Reasons     watchers.Reasons // those that apply to the activity
	Push        bool             // publish on the recipient's own channel, besides the inbox row
}

// Dropped counts the candidates that did not become recipients, by the stage that dropped them.
type Dropped struct {
	Actor      int // is the actor of the activity
	Inactive   int // the directory marks the candidate inactive
	Permission int // may not see the activity
	Muted      int // has muted all notifications
	Filtered   int // the filter mode excludes the action
}

func (d *Dropped) add(o Dropped) {
	d.Actor += o.Actor
	d.Inactive += o.Inactive
	d.Permission += o.Permission
	d.Muted += o.Muted
	d.Filtered += o.Filtered
}

// preferenceFilter reports whether a preference includes an action, as *preferences.Batch and
// *preferences.Filter do.
type preferenceFilter interface {
	Includes(p preferences.Preference, action string) bool
}

// selectRecipients returns the recipients of an activity: the candidates other than the actor that
// are active, may see the activity, and whose preference includes its action. The preference of the
// target decides only about the push.
func selectRecipients(
	a *activity.Activity,
	candidates []watchers.Candidate,
	filter preferenceFilter,
) ([]Recipient, Dropped) {
	recipients := make([]Recipient, 0, len(candidates))
	var dropped Dropped
	for _, c := range candidates {
		c.Reasons &^= watchers.Target
		if c.PrincipalID == a.TargetPrincipalID {
			c.Reasons |= watchers.Target
		}
		switch {
		case c.Reasons == 0:
			// A candidate only as the target of another activity of the resource.
		case c.PrincipalID == a.ActorPrincipalID:
			dropped.Actor++
		case c.Inactive:
			dropped.Inactive++
		default:
			reasons := permittedReasons(a.Visibility, c)
			preference := preferences.Preference{
				Mode:          preferences.Mode(c.FilterMode),
				CustomActions: c.CustomActions,
				Muted:         c.Muted,
			}
			switch {
			case reasons == 0:
				dropped.Permission++
			case reasons.Has(watchers.Target):
				recipients = append(recipients, Recipient{PrincipalID: c.PrincipalID, Reasons: reasons, Push: !c.Muted})
			case c.Muted:
				dropped.Muted++
			case !filter.Includes(preference, a.Action):
				dropped.Filtered++
			default:
				recipients = append(recipients, Recipient{PrincipalID: c.PrincipalID, Reasons: reasons, Push: true})
			}
		}
	}
	return recipients, dropped
}

// permittedReasons returns the reasons for which a candidate may be notified. An owner, a delegator
// and a target may see every activity. A subscription counts only while its holder's roles permit:
// they may have been revoked since.
func permittedReasons(v activity.Visibility, c watchers.Candidate) watchers.Reasons {
	if !directory.Allowed(v, c.Access) {
		return c.Reasons &^ watchers.Subscribed
	}
	return c.Reasons
}
