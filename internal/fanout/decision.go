package fanout

import (
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Rule names the rule that decided whether a candidate is notified.
type Rule string

// The rules, in the order in which they apply. The first that applies decides.
const (
	RuleNone        Rule = ""             // the activity does not concern the principal
	RuleActor       Rule = "actor"        // the actor is never notified
	RuleGroup       Rule = "group"        // a group is never notified; its members are
	RuleInactive    Rule = "inactive"     // a principal that the directory marks inactive is not notified
	RulePermission  Rule = "permission"   // a principal that may not see the activity is not notified
	RuleMandatory   Rule = "mandatory"    // the taxonomy says that everyone else is notified
	RuleTarget      Rule = "target"       // a target is notified
	RuleMutedActor  Rule = "muted_actor"  // the principal has muted the actor
	RuleMutedAction Rule = "muted_action" // the principal has muted the action, or the tenant has for it
	RuleLevel       Rule = "level"        // the principal's level nearest to the resource decides
	RuleMuted       Rule = "muted"        // the principal is not notified of anything else
	RuleMode        Rule = "mode"         // the filter mode decides
)

// Decision is what becomes of a candidate of an activity.
type Decision struct {
	Rule     Rule
	Notified bool             // the candidate is a recipient: it gets an inbox row
	Push     bool             // a recipient's own channel gets the event, too
	Reasons  watchers.Reasons // those that apply to the activity; of a candidate with permission, those that permit

	// GroupID is a group through which one of the reasons holds that does not hold directly;
	// uuid.Nil if all hold directly.
	GroupID uuid.UUID

	// Preference is what holds for the candidate, and From where its fields are from. They decide
	// by RuleMutedAction, RuleMuted and RuleMode, and Muted about the push of any recipient.
	Preference preferences.Preference
	From       preferences.Sources
}

// ActionFilter decides about actions, as *preferences.Filter and *preferences.Batch do.
type ActionFilter interface {
	Mandatory(action string) bool
	Includes(p preferences.Preference, action string) bool
	MatchesAny(patterns []string, action string) bool
}

// Decide decides whether a candidate is notified of an activity, and how. It is the only place
// where the rules are. tenant has the preferences of the candidate's tenant.
func Decide(a *activity.Activity, c *watchers.Candidate, tenant preferences.Fields, filter ActionFilter) Decision {
	d := Decision{Reasons: c.Reasons &^ watchers.Target}
	if a.HasTarget(c.PrincipalID) {
		d.Reasons |= watchers.Target
	}
	d.Preference, d.From = preferences.Effective(c.Own, tenant)
	switch {
	case d.Reasons == 0:
		d.Rule = RuleNone
	case c.PrincipalID == a.ActorPrincipalID:
		d.Rule = RuleActor
	case c.IsGroup:
		d.Rule = RuleGroup
	case c.Inactive:
		d.Rule = RuleInactive
	default:
		permitted := permittedReasons(a.Visibility, d.Reasons, c.Access)
		if permitted == 0 {
			d.Rule = RulePermission
			break
		}
		d.Reasons = permitted
		d.Rule, d.Notified = chosen(a, c, &d, filter)
		d.Push = d.Notified && !d.Preference.Muted
	}
	d.GroupID = throughGroup(d.Reasons, c)
	return d
}

// chosen applies the rules about a candidate that may see the activity: what the taxonomy, the
// target and the principal's choices say.
func chosen(a *activity.Activity, c *watchers.Candidate, d *Decision, filter ActionFilter) (rule Rule, notified bool) {
	switch {
	case filter.Mandatory(a.Action):
		return RuleMandatory, true
	case d.Reasons.Has(watchers.Target):
		return RuleTarget, true
	case slices.Contains(c.MutedActors, a.ActorPrincipalID):
		return RuleMutedActor, false
	case filter.MatchesAny(d.Preference.MutedActions, a.Action):
		return RuleMutedAction, false
	}
	switch c.Level {
	case preferences.LevelIgnore:
		return RuleLevel, false
	case preferences.LevelParticipating:
		return RuleLevel, d.Reasons.Has(watchers.Owner | watchers.Delegator)
	case preferences.LevelCustom:
		return RuleLevel, filter.MatchesAny(c.LevelPatterns, a.Action)
	case preferences.LevelAll:
		return RuleLevel, true
	}
	if d.Preference.Muted {
		return RuleMuted, false
	}
	return RuleMode, filter.Includes(d.Preference, a.Action)
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

func throughGroup(reasons watchers.Reasons, c *watchers.Candidate) uuid.UUID {
	if reasons.Has(watchers.Subscribed) && c.SubscribedThrough != uuid.Nil {
		return c.SubscribedThrough
	}
	if reasons.Has(watchers.Delegator) {
		return c.DelegatorThrough
	}
	return uuid.Nil
}
