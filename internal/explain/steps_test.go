package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// TestSteps describes decisions by every rule.
func TestSteps(t *testing.T) {
	t.Parallel()
	me, actor, resource := uuid.New(), uuid.New(), uuid.New()
	filter := preferences.NewFilter(nil)
	filter.SetNotify(map[string]activity.Notify{
		"alarm.raised": activity.NotifyMandatory, "doc.read": activity.NotifyDefault,
		"doc.created": activity.NotifyOptional,
	})
	type candidate = watchers.Candidate
	subscribed := func(change func(c *candidate)) candidate {
		c := candidate{Reasons: watchers.Subscribed, Access: directory.Access{OnChain: true}}
		if change != nil {
			change(&c)
		}
		return c
	}
	level := func(l preferences.Level, at uuid.UUID, patterns ...string) candidate {
		return subscribed(func(c *candidate) { c.Level, c.LevelResourceID, c.LevelPatterns = l, at, patterns })
	}
	own := func(f preferences.Fields) candidate { return subscribed(func(c *candidate) { c.Own = f }) }
	targets := func(a *activity.Activity) { a.TargetPrincipalIDs = []uuid.UUID{me} }
	private := func(a *activity.Activity) { a.Visibility = activity.Private }
	scope := func(a *activity.Activity) { a.Visibility = activity.ScopeWide }
	quiet := func(a *activity.Activity) { a.DeliveryChannels = []string{activity.ToResource} }
	muted := preferences.Fields{Muted: new(true)}
	for _, test := range []struct {
		name, action string
		candidate    candidate
		change       func(a *activity.Activity)
		tenant       preferences.Fields
		want         string // rule, result, why, set by, level, pattern
		passed       string // why the rules before permission, and permission, pass
		delivery     string
	}{
		{
			name: "not concerned", action: "doc.updated",
			want: "concern not_notified neither follows nor owns the resource, and is neither a delegator nor a target",
		},
		{
			name: "a group", action: "doc.updated", candidate: subscribed(func(c *candidate) { c.IsGroup = true }),
			want: "group not_notified is a group: its members are notified",
		},
		{
			name: "inactive", action: "doc.updated", candidate: subscribed(func(c *candidate) { c.Inactive = true }),
			want: "inactive not_notified is inactive in the directory",
		},
		{
			name: "private", action: "doc.updated", candidate: subscribed(nil), change: private,
			want: "permission not_notified the activity is private, and a subscription alone does not permit to see it",
		},
		{
			name: "no role", action: "doc.updated", candidate: candidate{Reasons: watchers.Subscribed},
			want: "permission not_notified holds no role on the resource or above it",
		},
		{
			name: "no role in scope", action: "doc.updated", candidate: candidate{Reasons: watchers.Subscribed},
			change: scope,
			want:   "permission not_notified holds no role on the resource, above it, or under its parent",
		},
		{
			name: "mandatory, muted", action: "alarm.raised", candidate: own(muted),
			want:     "mandatory notified the taxonomy makes alarm.raised mandatory",
			delivery: "notifications are muted: stored without a push",
		},
		{
			name: "a target", action: "doc.seen", change: targets,
			want: "target notified is a target", passed: "is a target; is a target",
			delivery: "stored in the inbox, and pushed",
		},
		{
			name: "a muted actor", action: "doc.updated",
			candidate: subscribed(func(c *candidate) { c.MutedActors = []uuid.UUID{actor} }),
			want:      "muted_actor not_notified has muted the actor",
		},
		{
			name: "a muted action", action: "doc.updated", candidate: own(preferences.Fields{
				Mode: "all", MutedActions: []string{"doc.s*", "*.updated"},
			}),
			want: "muted_action not_notified the action is muted: *.updated matches doc.updated (principal) " +
				"{*.updated true}",
		},
		{
			name: "muted by the tenant, before a level", action: "doc.updated",
			candidate: level(preferences.LevelAll, resource), tenant: preferences.Fields{MutedActions: []string{"*"}},
			want: "muted_action not_notified the action is muted: * matches doc.updated (tenant) {* true}",
		},
		{
			name: "ignore", action: "doc.updated", candidate: level(preferences.LevelIgnore, resource),
			want: "level not_notified has set the level ignore for the resource [ignore resource]",
		},
		{
			name: "participating", action: "doc.updated", candidate: level(preferences.LevelParticipating, uuid.New()),
			want: "level not_notified has set the level participating for a resource above, and is neither owner nor " +
				"delegator [participating above]",
		},
		{
			name: "custom level", action: "doc.seen",
			candidate: level(preferences.LevelCustom, resource, "doc.sent", "a.*"),
			want: "level not_notified has set the level custom for the resource, and no pattern matches doc.seen; " +
				"the nearest is doc.sent [custom resource] {doc.sent false}",
		},
		{
			name: "custom level that matches", action: "doc.seen", change: quiet,
			candidate: level(preferences.LevelCustom, resource, "doc.s*"),
			want: "level notified has set the level custom for the resource, and doc.s* matches doc.seen " +
				"[custom resource] {doc.s* true}",
			delivery: "the activity is not published on the channels of principals: stored without a push",
		},
		{
			name: "muted by the tenant", action: "doc.updated", candidate: subscribed(nil), tenant: muted,
			want: "muted not_notified notifications are muted (tenant)",
		},
		{
			name: "mode all", action: "doc.seen", candidate: own(preferences.Fields{Mode: "all"}), change: scope,
			want:     "mode notified the mode is all (principal)",
			passed:   "is subscribed; holds a role on the resource or above it",
			delivery: "stored in the inbox, and pushed",
		},
		{
			name: "custom without a pattern", action: "doc.seen", candidate: subscribed(nil),
			tenant: preferences.Fields{Mode: "custom"},
			want:   "mode not_notified the mode is custom, and no pattern matches doc.seen (tenant)",
		},
		{
			name: "mutations", action: "doc.updated", candidate: candidate{Reasons: watchers.Owner},
			want: "mode notified the mode is mutations, and *.updated* matches doc.updated (installation) " +
				"{*.updated* true}",
			passed:   "owns the resource; owns the resource",
			delivery: "stored in the inbox, and pushed",
		},
		{
			name: "no mutation", action: "doc.update", candidate: candidate{Reasons: watchers.Delegator},
			want: "mode not_notified the mode is mutations, and no pattern matches doc.update; the nearest is " +
				"*.updated* (installation) {*.updated* false}",
			passed: "is a delegator; is a delegator of the resource",
		},
		{
			name: "optional", action: "doc.created", candidate: subscribed(nil),
			want: "mode not_notified the mode is mutations, and the taxonomy takes doc.created out of it (taxonomy)",
		},
		{
			name: "default", action: "doc.read", change: scope,
			candidate: candidate{Reasons: watchers.Subscribed, Access: directory.Access{InScope: true}},
			want:      "mode notified the mode is mutations, and the taxonomy puts doc.read into it (taxonomy)",
			passed:    "is subscribed; holds a role under the resource's parent",
			delivery:  "stored in the inbox, and pushed",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := &activity.Activity{
				ResourceID: resource, ActorPrincipalID: actor, Action: test.action, Visibility: activity.ResourceWide,
			}
			if test.change != nil {
				test.change(a)
			}
			test.candidate.PrincipalID = me
			f := &facts{
				activity: a, candidate: &test.candidate, filter: filter, pushes: fanout.ReachesPrincipals(a),
				decision: fanout.Decide(a, &test.candidate, test.tenant, filter),
			}
			steps := f.steps()
			if len(steps) != len(Rules()) {
				t.Fatalf("got %d steps, want %d", len(steps), len(Rules()))
			}
			got, passed, delivery := "", []string{}, ""
			for i, s := range steps {
				switch {
				case s.Rule != Rules()[i]:
					t.Errorf("step %d: got %s, want %s", i, s.Rule, Rules()[i])
				case s.Rule == ruleDelivery:
					delivery = s.Why
				case s.Result == Passed && (s.Rule == ruleConcern || s.Rule == "permission"):
					passed = append(passed, s.Why)
				case s.Result == Notified || s.Result == NotNotified:
					got += textOf(s)
				case (s.Result == NotReached) != (s.Why == ""):
					t.Errorf("got %+v", s)
				}
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if joined := strings.Join(passed, "; "); test.passed != "" && joined != test.passed {
				t.Errorf("passed: got %q, want %q", joined, test.passed)
			}
			if delivery != test.delivery {
				t.Errorf("delivery: got %q, want %q", delivery, test.delivery)
			}
		})
	}
}

func textOf(s RuleResult) string {
	text := s.Rule + " " + s.Result + " " + s.Why
	if s.SetBy != "" {
		text += " (" + s.SetBy + ")"
	}
	if s.Level != nil {
		text += " [" + s.Level.Level + " " + s.Level.Where + "]"
	}
	if s.Pattern != nil {
		text += fmt.Sprintf(" {%s %t}", s.Pattern.Pattern, s.Pattern.Matches)
	}
	return text
}

func TestPredecessor(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"00000000-0000-0000-0000-000000000001": "00000000-0000-0000-0000-000000000000",
		"00000000-0000-0000-0001-000000000000": "00000000-0000-0000-0000-ffffffffffff",
		"ffffffff-ffff-ffff-ffff-ffffffffffff": "ffffffff-ffff-ffff-ffff-fffffffffffe",
	} {
		if got := predecessor(uuid.MustParse(id)); got != uuid.MustParse(want) {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}
