package demo

import (
	"testing"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	actor, other := principalID(ada), principalID(bruno)
	subscriber := func(change func(*fact)) fact {
		access := directory.Access{OnChain: true, InScope: true}
		f := fact{Candidate: watchers.Candidate{
			Reasons: subscribed, Access: access, Own: preferences.Fields{Mode: preferences.ModeAll},
		}}
		change(&f)
		return f
	}
	muted := func(onChain, inScope bool) fact {
		return subscriber(func(f *fact) {
			f.Access.OnChain, f.Access.InScope, f.Own.Muted = onChain, inScope, new(true)
		})
	}
	withRoles := func(onChain, inScope, lostRole bool) fact {
		return subscriber(func(f *fact) { f.Access.OnChain, f.Access.InScope, f.lostRole = onChain, inScope, lostRole })
	}
	for name, test := range map[string]struct {
		visibility activity.Visibility
		actor      bool
		fact       fact
		want       Why
		detail     string
	}{
		"the actor":            {"", true, muted(true, true), Actor, "the actor"},
		"no candidate":         {"", false, fact{}, NotWatching, "not watching"},
		"no longer subscribed": {"", false, fact{unsubscribed: true}, Unsubscribed, "unsubscribed"},
		"inactive": {
			"", false, subscriber(func(f *fact) { f.Inactive = true }), Inactive, "inactive",
		},
		"private":              {activity.Private, false, muted(true, true), PrivateTo, "it is private"},
		"no role":              {activity.ResourceWide, false, withRoles(false, true, false), NoRole, "no role here"},
		"a revoked role":       {activity.ResourceWide, false, withRoles(false, true, true), LostRole, "lost the role"},
		"no role in the scope": {activity.ScopeWide, false, withRoles(false, false, false), NoRole, "no role here"},
		"muted, scope":         {activity.ScopeWide, false, muted(false, true), Muted, "muted"},
		"muted, tenant":        {activity.TenantVisible, false, muted(false, false), Muted, "muted"},
		"an owner without a role": {
			activity.Private, false,
			fact{Candidate: watchers.Candidate{Reasons: owner}},
			Filtered,
			"wants only mutations",
		},
		"other patterns": {
			activity.ResourceWide, false,
			subscriber(func(f *fact) { f.Own.Mode, f.Own.CustomActions = "custom", []string{"run.*", "x"} }), Filtered,
			"wants only run.*, x",
		},
		"an owner that ignores it": {
			activity.ResourceWide, false,
			fact{Candidate: watchers.Candidate{Reasons: owner, Level: preferences.LevelIgnore}},
			Ignored, "ignores it",
		},
		"an unexplained subscriber": {
			activity.ResourceWide, false, subscriber(func(*fact) {}), Unexplained, "for an unknown reason",
		},
		"an unexplained target": {
			activity.ResourceWide, false,
			subscriber(func(f *fact) { f.Reasons, f.Own.Mode = target, "" }), Unexplained,
			"a target, for an unknown reason",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			principal := other
			if test.actor {
				principal = actor
			}
			a := &activity.Activity{ActorPrincipalID: actor, Action: "note.added", Visibility: test.visibility}
			got, detail := explain(a, principal, test.fact, preferences.NewFilter(nil))
			if got != test.want || detail != test.detail {
				t.Errorf("got %s, %q, want %s, %q", got, detail, test.want, test.detail)
			}
		})
	}
}
