package explain

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// facts are what an explanation of one principal rests on.
type facts struct {
	activity  *activity.Activity
	candidate *watchers.Candidate
	decision  fanout.Decision
	filter    *preferences.Filter
	pushes    bool // the activity is delivered on channels of principals
	brief     bool // describe no pattern: the nearest one takes time to find
}

// order is the order of the rules.
var order = []fanout.Rule{
	fanout.RuleNone, fanout.RuleActor, fanout.RuleGroup, fanout.RuleInactive, fanout.RulePermission,
	fanout.RuleMandatory, fanout.RuleTarget, fanout.RuleMutedActor, fanout.RuleMutedAction, fanout.RuleLevel,
	fanout.RuleMuted, fanout.RuleMode,
}

func nameOf(r fanout.Rule) string {
	if r == fanout.RuleNone {
		return ruleConcern
	}
	return string(r)
}

// steps describes all rules.
func (f *facts) steps() []RuleResult {
	steps := make([]RuleResult, 0, len(order)+1)
	decided := false
	for _, rule := range order {
		step := RuleResult{Rule: nameOf(rule), Result: NotReached}
		switch {
		case decided:
		case rule == f.decision.Rule:
			decided = true
			step = f.deciding(rule)
		default:
			step.Result = Passed
			f.describePassed(rule, &step)
		}
		steps = append(steps, step)
	}
	delivery := RuleResult{Rule: ruleDelivery, Result: NotReached}
	if f.decision.Notified {
		delivery.Result, delivery.Why = Notified, f.delivery()
		delivery.SetBy = f.decision.From.Muted.String()
	}
	return append(steps, delivery)
}

// deciding describes the rule that decides.
func (f *facts) deciding(rule fanout.Rule) RuleResult {
	step := RuleResult{Rule: nameOf(rule), Result: NotNotified}
	if f.decision.Notified {
		step.Result = Notified
	}
	switch rule {
	case fanout.RuleNone:
		step.Why = "neither follows nor owns the resource, and is neither a delegator nor a target"
	case fanout.RuleActor:
		step.Why = "is the actor"
	case fanout.RuleGroup:
		step.Why = "is a group: its members are notified"
	case fanout.RuleInactive:
		step.Why = "is inactive in the directory"
	case fanout.RulePermission:
		step.Why = withoutPermission(f.activity.Visibility)
	case fanout.RuleMandatory:
		step.Why = "the taxonomy makes " + f.activity.Action + " mandatory"
	case fanout.RuleTarget:
		step.Why = "is a target"
	case fanout.RuleMutedActor:
		step.Why = "has muted the actor"
	case fanout.RuleMutedAction:
		f.describeMutedActions(&step)
	case fanout.RuleLevel:
		f.describeLevel(&step)
	case fanout.RuleMuted:
		step.Why, step.SetBy = "notifications are muted", f.decision.From.Muted.String()
	case fanout.RuleMode:
		f.describeMode(&step)
	}
	return step
}

// describePassed describes a rule that does not decide.
func (f *facts) describePassed(rule fanout.Rule, step *RuleResult) {
	switch rule {
	case fanout.RuleNone:
		step.Why = concern(f.decision.Reasons)
	case fanout.RuleActor:
		step.Why = "is not the actor"
	case fanout.RuleGroup:
		step.Why = "is not a group"
	case fanout.RuleInactive:
		step.Why = "is not inactive in the directory"
	case fanout.RulePermission:
		step.Why = f.permission()
	case fanout.RuleMandatory:
		step.Why = "the taxonomy does not make " + f.activity.Action + " mandatory"
	case fanout.RuleTarget:
		step.Why = "is not a target"
	case fanout.RuleMutedActor:
		step.Why = "has not muted the actor"
	case fanout.RuleMutedAction:
		f.describeMutedActions(step)
	case fanout.RuleLevel:
		step.Why = "has no level for the resource"
	case fanout.RuleMuted:
		step.Why, step.SetBy = "notifications are not muted", f.decision.From.Muted.String()
	case fanout.RuleMode: // the last rule always decides
	}
}

func withoutPermission(v activity.Visibility) string {
	switch v {
	case activity.Private:
		return "the activity is private, and a subscription alone does not permit to see it"
	case activity.ScopeWide:
		return "holds no role on the resource, above it, or under its parent"
	default:
		return "holds no role on the resource or above it"
	}
}

// permission describes why a candidate may see the activity.
func (f *facts) permission() string {
	switch reasons := f.decision.Reasons; {
	case reasons.Has(watchers.Owner):
		return "owns the resource"
	case reasons.Has(watchers.Delegator):
		return "is a delegator of the resource"
	case reasons.Has(watchers.Target):
		return "is a target"
	case f.activity.Visibility == activity.TenantVisible:
		return "the activity is visible to the tenant"
	case f.candidate.Access.OnChain:
		return "holds a role on the resource or above it"
	default:
		return "holds a role under the resource's parent"
	}
}

// concern describes reasons.
func concern(reasons watchers.Reasons) string {
	var parts []string
	for _, r := range []struct {
		reason watchers.Reasons
		text   string
	}{
		{watchers.Subscribed, "is subscribed"},
		{watchers.Owner, "owns the resource"},
		{watchers.Delegator, "is a delegator"},
		{watchers.Target, "is a target"},
	} {
		if reasons.Has(r.reason) {
			parts = append(parts, r.text)
		}
	}
	return strings.Join(parts, ", ")
}

func (f *facts) describeMutedActions(step *RuleResult) {
	patterns := f.decision.Preference.MutedActions
	step.Why, step.SetBy = "the action is not muted", f.decision.From.MutedActions.String()
	muted := f.decision.Rule == fanout.RuleMutedAction
	if muted {
		step.Why = "the action is muted"
	}
	if len(patterns) > 0 {
		step.Why += ": " + f.match(step, patterns, muted)
	}
}

func (f *facts) describeLevel(step *RuleResult) {
	c := f.candidate
	step.Level = &LevelInForce{Level: string(c.Level), ResourceID: &c.LevelResourceID, Where: above}
	where := "a resource above"
	if c.LevelResourceID == f.activity.ResourceID {
		step.Level.Where, where = onResource, "the resource"
	}
	step.Why = fmt.Sprintf("has set the level %s for %s", c.Level, where)
	switch {
	case c.Level == preferences.LevelParticipating && !f.decision.Notified:
		step.Why += ", and is neither owner nor delegator"
	case c.Level == preferences.LevelCustom:
		step.Why += ", and " + f.match(step, c.LevelPatterns, f.decision.Notified)
	}
}

func (f *facts) describeMode(step *RuleResult) {
	d := &f.decision
	selection := f.filter.Explain(d.Preference, f.activity.Action, f.brief)
	step.SetBy = d.From.Mode.String()
	step.Why = fmt.Sprintf("the mode is %s", d.Preference.Mode)
	switch {
	case selection.Notify != "":
		step.SetBy = "taxonomy"
		verb := "puts"
		if selection.Notify == activity.NotifyOptional {
			verb = "takes"
		}
		step.Why += fmt.Sprintf(", and the taxonomy %s %s %s it", verb, f.activity.Action, preposition(verb))
	case d.Preference.Mode != preferences.ModeAll:
		step.Why += ", and " + f.describeMatch(step, selection.Pattern, d.Notified)
	}
}

func preposition(verb string) string {
	if verb == "puts" {
		return "into"
	}
	return "out of"
}

// match describes whether one of a list of patterns matches.
func (f *facts) match(step *RuleResult, patterns []string, matches bool) string {
	nearest := ""
	if !f.brief {
		nearest, _ = preferences.Nearest(patterns, f.activity.Action)
	}
	return f.describeMatch(step, nearest, matches)
}

// describeMatch describes whether one of a list of patterns matches. nearest is the pattern that
// matches or is the nearest to the action; "" if it is not known or if there is none.
func (f *facts) describeMatch(step *RuleResult, nearest string, matches bool) string {
	action := f.activity.Action
	if nearest != "" {
		step.Pattern = &PatternMatch{nearest, matches}
	}
	switch {
	case matches && nearest != "":
		return fmt.Sprintf("%s matches %s", nearest, action)
	case matches:
		return "a pattern matches " + action
	case nearest != "":
		return fmt.Sprintf("no pattern matches %s; the nearest is %s", action, nearest)
	default:
		return "no pattern matches " + action
	}
}

// delivery describes how a recipient is notified.
func (f *facts) delivery() string {
	switch {
	case f.decision.Preference.Muted:
		return "notifications are muted: stored without a push"
	case !f.pushes:
		return "the activity is not published on the channels of principals: stored without a push"
	default:
		return "stored in the inbox, and pushed"
	}
}

// outcome returns what a delivery would do.
func (f *facts) outcome() Outcome {
	d := &f.decision
	o := Outcome{
		Notified: d.Notified, Push: d.Push && f.pushes, DecidedBy: nameOf(d.Rule), Why: f.deciding(d.Rule).Why,
		Reasons: d.Reasons.Names(), GroupID: idOrNil(d.GroupID),
	}
	if o.Notified && !o.Push {
		o.Why += "; " + f.delivery()
	}
	return o
}

func idOrNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
