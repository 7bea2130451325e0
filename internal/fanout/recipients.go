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
	GroupID     uuid.UUID        // a group through which one of them holds that does not hold directly, or uuid.Nil
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

// outcome is what becomes of a candidate.
type outcome uint8

const (
	unconcerned outcome = iota // a candidate only as the target of another activity of the resource
	isActor
	isInactive
	withoutPermission
	hasMuted
	isFiltered
	isRecipient
)

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
	for i := range candidates {
		recipient, outcome := decide(a, &candidates[i], filter)
		switch outcome {
		case isActor:
			dropped.Actor++
		case isInactive:
			dropped.Inactive++
		case withoutPermission:
			dropped.Permission++
		case hasMuted:
			dropped.Muted++
		case isFiltered:
			dropped.Filtered++
		case isRecipient:
			recipients = append(recipients, recipient)
		case unconcerned:
		}
	}
	return recipients, dropped
}

// decide returns what becomes of a candidate. The Recipient has the reasons that apply to the
// activity, whatever the outcome is.
func decide(a *activity.Activity, c *watchers.Candidate, filter preferenceFilter) (Recipient, outcome) {
	r := Recipient{PrincipalID: c.PrincipalID, Reasons: c.Reasons &^ watchers.Target, Push: true}
	if c.PrincipalID == a.TargetPrincipalID {
		r.Reasons |= watchers.Target
	}
	switch {
	case r.Reasons == 0:
		return r, unconcerned
	case c.PrincipalID == a.ActorPrincipalID:
		return r, isActor
	case c.Inactive:
		return r, isInactive
	}
	permitted := permittedReasons(a.Visibility, r.Reasons, c.Access)
	if permitted == 0 {
		return r, withoutPermission
	}
	r.Reasons = permitted
	switch {
	case permitted.Has(watchers.Target):
		r.Push = !c.Muted
	case c.Muted:
		return r, hasMuted
	case !filter.Includes(preferenceOf(c), a.Action):
		return r, isFiltered
	}
	return r, isRecipient
}

func preferenceOf(c *watchers.Candidate) preferences.Preference {
	return preferences.Preference{
		Mode: preferences.Mode(c.FilterMode), CustomActions: c.CustomActions, Muted: c.Muted,
	}
}

// permittedReasons returns the reasons for which a candidate may be notified. An owner, a delegator
// and a target may see every activity. A subscription counts only while its holder's roles permit:
// they may have been revoked since.
func permittedReasons(v activity.Visibility, reasons watchers.Reasons, access directory.Access) watchers.Reasons {
	if !directory.Allowed(v, access) {
		return reasons &^ watchers.Subscribed
	}
	return reasons
}
