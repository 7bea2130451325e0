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
		f := fact{Candidate: watchers.Candidate{
			Reasons: subscribed, Access: directory.Access{OnChain: true, InScope: true}, FilterMode: "all",
		}}
		change(&f)
		return f
	}
	for name, test := range map[string]struct {
		visibility activity.Visibility
		actor      bool
		fact       fact
		want       Why
		words      string
	}{
		"the actor":            {actor: true, fact: subscriber(func(f *fact) { f.Muted = true }), want: Actor, words: "the actor"},
		"no candidate":         {want: NotWatching, words: "not watching"},
		"no longer subscribed": {fact: fact{unsubscribed: true}, want: Unsubscribed, words: "unsubscribed"},
		"inactive":             {fact: subscriber(func(f *fact) { f.Inactive = true }), want: Inactive, words: "inactive"},
		"private": {
			visibility: activity.Private, fact: subscriber(func(f *fact) { f.Muted = true }), want: PrivateTo, words: "it is private",
		},
		"no role": {
			visibility: activity.ResourceWide, fact: subscriber(func(f *fact) { f.Access.OnChain = false }), want: NoRole, words: "no role here",
		},
		"no longer a role": {
			visibility: activity.ResourceWide, fact: subscriber(func(f *fact) { f.Access.OnChain, f.lostRole = false, true }), want: LostRole, words: "lost the role",
		},
		"no role in the scope": {
			visibility: activity.ScopeWide, fact: subscriber(func(f *fact) { f.Access.OnChain, f.Access.InScope = false, false }), want: NoRole, words: "no role here",
		},
		"muted, seeing the scope": {
			visibility: activity.ScopeWide, fact: subscriber(func(f *fact) { f.Access.OnChain, f.Muted = false, true }), want: Muted, words: "muted",
		},
		"muted, seeing the tenant": {
			visibility: activity.TenantVisible, fact: subscriber(func(f *fact) { f.Access.OnChain, f.Access.InScope, f.Muted = false, false, true }), want: Muted, words: "muted",
		},
		"an owner does not need a role": {
			visibility: activity.Private, fact: fact{Candidate: watchers.Candidate{Reasons: owner}}, want: Filtered, words: "wants only mutations",
		},
		"other patterns": {
			visibility: activity.ResourceWide,
			fact:       subscriber(func(f *fact) { f.FilterMode, f.CustomActions = "custom", []string{"run.*", "x"} }),
			want:       Filtered, words: "wants only run.*, x",
		},
		"an unexplained subscriber": {
			visibility: activity.ResourceWide, fact: subscriber(func(*fact) {}), want: Unexplained, words: "for an unknown reason",
		},
		"an unexplained target": {
			visibility: activity.ResourceWide, fact: subscriber(func(f *fact) { f.Reasons, f.FilterMode = target, "" }),
			want: Unexplained, words: "a target, for an unknown reason",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			who := other
			if test.actor {
				who = actor
			}
			a := &activity.Activity{ActorPrincipalID: actor, Action: "note.added", Visibility: test.visibility}
			got, words := explain(a, who, test.fact, preferences.NewFilter(nil))
			if got != test.want || words != test.words {
				t.Errorf("got %s, %q, want %s, %q", got, words, test.want, test.words)
			}
		})
	}
}
