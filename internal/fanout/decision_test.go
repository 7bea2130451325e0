package fanout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// TestDecide states each rule and its place in the order: a case adds to a candidate what an
// earlier rule decides about, and what all later rules would decide otherwise.
func TestDecide(t *testing.T) {
	t.Parallel()
	filter := preferences.NewFilter([]string{"*.created"})
	filter.SetNotify(map[string]activity.Notify{
		"alarm.raised": activity.NotifyMandatory, "note.created": activity.NotifyOptional,
		"note.pinned": activity.NotifyDefault,
	})
	me, actor, group := uuid.New(), uuid.New(), uuid.New()
	type candidate = watchers.Candidate
	type fields = preferences.Fields
	all, custom := fields{Mode: preferences.ModeAll}, func(patterns ...string) fields {
		return fields{Mode: preferences.ModeCustom, CustomActions: patterns}
	}
	subscriber := candidate{Reasons: watchers.Subscribed, Access: directory.Access{OnChain: true}}
	with := func(c candidate, changes ...func(*candidate)) candidate {
		for _, change := range changes {
			change(&c)
		}
		return c
	}
	reasons := func(r watchers.Reasons) func(*candidate) { return func(c *candidate) { c.Reasons = r } }
	own := func(f fields) func(*candidate) { return func(c *candidate) { c.Own = f } }
	level := func(l preferences.Level, patterns ...string) func(*candidate) {
		return func(c *candidate) { c.Level, c.LevelPatterns = l, patterns }
	}
	isGroup := func(c *candidate) { c.IsGroup = true }
	inactive := func(c *candidate) { c.Inactive = true }
	noRole := func(c *candidate) { c.Access = directory.Access{} }
	mutedActor := func(c *candidate) { c.MutedActors = []uuid.UUID{uuid.New(), actor} }
	mutedAction := func(patterns ...string) func(*candidate) {
		return func(c *candidate) { c.Own.MutedActions = append([]string{}, patterns...) }
	}
	muted := func(c *candidate) { c.Own.Muted = new(true) }
	unmuted := func(c *candidate) { c.Own.Muted = new(false) }
	isActor := func(c *candidate) { c.PrincipalID = actor }

	const no, inbox, push = "no", "inbox", "push"
	for name, c := range map[string]struct {
		candidate candidate
		action    string // x.created, unless given
		target    bool
		tenant    fields
		rule      Rule
		how       string
	}{
		"not concerned": {with(subscriber, reasons(0)), "alarm.raised", false, all, RuleNone, no},
		"the target of another activity": {
			with(subscriber, reasons(watchers.Target), own(all)), "alarm.raised", false, all, RuleNone, no,
		},

		"1 the actor, who is everything else": {
			with(subscriber, isActor, reasons(15), isGroup, inactive), "alarm.raised", true, all, RuleActor, no,
		},
		"1 a group, before inactive": {
			with(subscriber, isGroup, reasons(15), inactive), "alarm.raised", true, all, RuleGroup, no,
		},
		"1 inactive, before permission": {
			with(subscriber, inactive, noRole), "alarm.raised", false, all, RuleInactive, no,
		},
		"1 an inactive target": {with(subscriber, inactive), "alarm.raised", true, all, RuleInactive, no},
		"1 without permission, before mandatory": {
			with(subscriber, noRole, mutedActor), "alarm.raised", false, all, RulePermission, no,
		},
		"1 an owner needs no role": {
			with(subscriber, noRole, reasons(watchers.Owner)), "", false, fields{}, RuleMode, push,
		},

		"2 mandatory passes a muted actor and action, a level and a mode": {
			with(subscriber, mutedActor, level("ignore"), own(custom()), mutedAction("*")), "alarm.raised", false,
			fields{},
			RuleMandatory, push,
		},
		"2 and 7 mandatory, muted": {
			with(subscriber, mutedActor, level("ignore"), muted), "alarm.raised", false, fields{}, RuleMandatory, inbox,
		},
		"2 a target passes them as well": {
			with(subscriber, noRole, mutedActor, level("ignore"), own(custom()), mutedAction("*")), "x.seen", true,
			fields{},
			RuleTarget, push,
		},
		"2 and 7 a muted target": {
			with(subscriber, mutedActor, level("ignore"), muted), "x.seen", true, fields{}, RuleTarget, inbox,
		},
		"2 and 7 a target that the tenant mutes": {
			subscriber, "x.seen", true, fields{Muted: new(true)}, RuleTarget, inbox,
		},

		"3 a muted actor, before the level all": {
			with(subscriber, mutedActor, level("all"), own(all)), "", false, all, RuleMutedActor, no,
		},
		"3 also for the owner": {
			with(subscriber, mutedActor, reasons(watchers.Owner)), "", false, all, RuleMutedActor, no,
		},
		"3 a muted actor, before a muted action": {
			with(subscriber, mutedActor, mutedAction("*")), "", false, all, RuleMutedActor, no,
		},
		"3 a muted action, before the level all": {
			with(subscriber, own(all), mutedAction("a.*", "x.c*"), level("all")), "", false, all, RuleMutedAction, no,
		},
		"3 a muted action, also for the owner, before muted": {
			with(subscriber, mutedAction("x.created"), reasons(watchers.Owner), muted), "", false, all,
			RuleMutedAction, no,
		},
		"3 an action that the tenant mutes": {
			with(subscriber, own(all)), "note.pinned", false,
			fields{MutedActions: []string{"note.*"}},
			RuleMutedAction, no,
		},
		"3 own muted actions instead of the tenant's": {
			with(subscriber, own(all), mutedAction()), "note.pinned", false,
			fields{MutedActions: []string{"note.*"}},
			RuleMode, push,
		},
		"3 another action is muted": {
			with(subscriber, mutedAction("x.create", "\xff")), "", false, all, RuleMode, push,
		},

		"4 ignore, before the mode all": {with(subscriber, level("ignore"), own(all)), "", false, all, RuleLevel, no},
		"4 ignore beats ownership": {
			with(subscriber, level("ignore"), reasons(watchers.Owner|watchers.Delegator), own(all)), "", false, all,
			RuleLevel, no,
		},
		"4 participating, a subscriber": {
			with(subscriber, level("participating"), own(all)), "", false, all, RuleLevel, no,
		},
		"4 participating, an owner, whatever the mode": {
			with(subscriber, level("participating"), reasons(watchers.Owner), own(custom())), "x.seen", false,
			fields{},
			RuleLevel, push,
		},
		"4 participating, a delegator who subscribes, too": {
			with(subscriber, level("participating"), reasons(watchers.Subscribed|watchers.Delegator)), "x.seen", false,
			fields{},
			RuleLevel, push,
		},
		"4 custom, a pattern matches": {
			with(subscriber, level("custom", "a.*", "x.s*"), own(custom())), "x.seen", false, fields{}, RuleLevel, push,
		},
		"4 custom, no pattern matches": {
			with(subscriber, level("custom", "a.*"), own(all)), "", false, all, RuleLevel, no,
		},
		"4 custom without patterns": {with(subscriber, level("custom"), own(all)), "", false, all, RuleLevel, no},
		"4 all": {
			with(subscriber, level("all"), own(custom())), "x.seen", false, fields{}, RuleLevel, push,
		},
		"4 and 7 all, muted": {
			with(subscriber, level("all"), muted), "x.seen", false, fields{}, RuleLevel, inbox,
		},
		"4 an unknown level is none": {with(subscriber, level("loud")), "x.seen", false, fields{}, RuleMode, no},

		"5 muted, before the mode": {with(subscriber, own(all), muted), "", false, all, RuleMuted, no},
		"5 muted, the owner":       {with(subscriber, muted, reasons(watchers.Owner)), "", false, all, RuleMuted, no},
		"5 the mode all":           {with(subscriber, own(all)), "x.seen", false, custom(), RuleMode, push},
		"5 the mode custom": {
			with(subscriber, own(custom("x.seen"))), "x.seen", false, fields{}, RuleMode, push,
		},
		"5 the mode custom, no match": {with(subscriber, own(custom("x.seen"))), "", false, all, RuleMode, no},
		"5 an unknown mode is mutations": {
			with(subscriber, own(fields{Mode: "loud"})), "x.seen", false, all, RuleMode, no,
		},
		"5 mutations, optional": {
			with(subscriber, own(fields{Mode: preferences.ModeMutations})), "note.created", false, all, RuleMode, no,
		},
		"5 mutations, default": {
			with(subscriber, own(fields{Mode: preferences.ModeMutations})), "note.pinned", false,
			fields{},
			RuleMode, push,
		},
		"5 optional in the mode all": {with(subscriber, own(all)), "note.created", false, fields{}, RuleMode, push},

		"6 the tenant's mode":  {subscriber, "x.seen", false, all, RuleMode, push},
		"6 the tenant's mute":  {subscriber, "", false, fields{Muted: new(true)}, RuleMuted, no},
		"6 own fields are own": {with(subscriber, unmuted), "", false, fields{Muted: new(true)}, RuleMode, push},
		"6 the tenant's mode with an own mute": {
			with(subscriber, unmuted), "x.seen", false, fields{Mode: "all", Muted: new(true)}, RuleMode, push,
		},
		"6 the installation's":           {subscriber, "", false, fields{}, RuleMode, push},
		"6 the installation's, no match": {subscriber, "x.seen", false, fields{}, RuleMode, no},
	} {
		a := &activity.Activity{Action: "x.created", ActorPrincipalID: actor, Visibility: activity.ResourceWide}
		if c.action != "" {
			a.Action = c.action
		}
		if c.candidate.PrincipalID == uuid.Nil {
			c.candidate.PrincipalID = me
		}
		if c.target {
			a.TargetPrincipalIDs = []uuid.UUID{c.candidate.PrincipalID}
		}
		for kind, f := range map[string]ActionFilter{"filter": filter, "batch": filter.Batch()} {
			d := Decide(a, &c.candidate, c.tenant, f)
			how := map[[2]bool]string{{true, false}: inbox, {true, true}: push, {}: no}[[2]bool{d.Notified, d.Push}]
			if d.Rule != c.rule || how != c.how {
				t.Errorf("%s (%s): got %q by the rule %q, want %q by %q", name, kind, how, d.Rule, c.how, c.rule)
			}
		}
	}

	for name, c := range map[string]struct {
		visibility activity.Visibility
		candidate  candidate
		reasons    watchers.Reasons
		group      uuid.UUID
	}{
		"directly": {activity.TenantVisible, candidate{Reasons: 7}, 7, uuid.Nil},
		"a subscription of a group": {
			activity.TenantVisible, candidate{Reasons: 3, SubscribedThrough: group}, 3, group,
		},
		"a role of a group": {activity.Private, candidate{Reasons: 4, DelegatorThrough: group}, 4, group},
		"a subscription of a group that does not permit": {
			activity.Private, candidate{Reasons: 5, SubscribedThrough: group}, 4, uuid.Nil,
		},
		"both": {
			activity.TenantVisible,
			candidate{Reasons: 5, SubscribedThrough: group, DelegatorThrough: uuid.New()},
			5,
			group,
		},
	} {
		c.candidate.PrincipalID = me
		a := &activity.Activity{Action: "x.created", ActorPrincipalID: actor, Visibility: c.visibility}
		d := Decide(a, &c.candidate, fields{}, filter)
		if diff := cmp.Diff([]any{c.reasons, c.group}, []any{d.Reasons, d.GroupID}); diff != "" || !d.Notified {
			t.Errorf("%s: notified %t, reasons and group (-want +got):\n%s", name, d.Notified, diff)
		}
	}
}
