package demo

import (
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// Why says why somebody does not hear of an activity.
type Why string

// The answers.
const (
	NotCommitted Why = "not_committed" // it was rolled back
	OtherTenant  Why = "other_tenant"
	Actor        Why = "actor" // did it
	NotWatching  Why = "not_watching"
	Unsubscribed Why = "unsubscribed" // has revoked the subscription that would cover it
	Inactive     Why = "inactive"     // the directory says so
	PrivateTo    Why = "private"      // a subscriber, and subscribers do not hear what is private
	NoRole       Why = "no_role"      // a subscriber without a role on it
	LostRole     Why = "lost_role"    // a subscriber whose role on it was revoked
	Muted        Why = "muted"
	Filtered     Why = "filtered"    // wants to hear of other actions
	Unexplained  Why = "unexplained" // nothing in the database says why
)

// fact is what the database holds of somebody in regard to one activity.
type fact struct {
	watchers.Candidate      // the zero value for one who is none
	unsubscribed       bool // a revoked subscription covers it
	lostRole           bool // a revoked role covers it
}

// explain says why somebody of the activity's tenant does not hear of it, in a word and in more of
// them.
func explain(a *activity.Activity, who uuid.UUID, f fact, filter *preferences.Filter) (Why, string) {
	wants := preferences.Preference{
		Mode:          preferences.Mode(f.FilterMode),
		CustomActions: f.CustomActions,
		Muted:         f.Muted,
	}
	onlySubscribed := f.Reasons == watchers.Subscribed
	switch {
	case who == a.ActorPrincipalID:
		return Actor, "did it"
	case f.Reasons == 0 && f.unsubscribed:
		return Unsubscribed, "unsubscribed"
	case f.Reasons == 0:
		return NotWatching, "not watching"
	case f.Inactive:
		return Inactive, "inactive"
	case onlySubscribed && a.Visibility == activity.Private:
		return PrivateTo, "it is private"
	case onlySubscribed && !maySee(a.Visibility, f.Candidate) && f.lostRole:
		return LostRole, "lost the role"
	case onlySubscribed && !maySee(a.Visibility, f.Candidate):
		return NoRole, "no role here"
	case f.Muted:
		return Muted, "muted"
	case f.Reasons.Has(watchers.Target):
		return Unexplained, "addressed, and nothing says why not"
	case !filter.Wants(wants, a.Action):
		return Filtered, "wants only " + wanted(wants)
	default:
		return Unexplained, "nothing says why not"
	}
}

func maySee(v activity.Visibility, c watchers.Candidate) bool {
	switch v {
	case activity.TenantVisible:
		return true
	case activity.ScopeWide:
		return c.OnChain || c.InScope
	default:
		return c.OnChain
	}
}

// wanted puts what somebody wants to hear of in words.
func wanted(p preferences.Preference) string {
	switch p.Mode {
	case preferences.ModeAll:
		return "everything"
	case preferences.ModeCustom:
		return strings.Join(p.CustomActions, ", ")
	default:
		return "mutations"
	}
}
