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

// TestDroppedCountsEveryStage drops one candidate by each rule, and by each level.
func TestDroppedCountsEveryStage(t *testing.T) {
	t.Parallel()
	a := &activity.Activity{
		Action: "plan.viewed", Visibility: activity.ResourceWide, ActorPrincipalID: uuid.New(),
	}
	candidate := func(change func(*watchers.Candidate)) watchers.Candidate {
		c := watchers.Candidate{
			PrincipalID: uuid.New(), Reasons: watchers.Subscribed, Access: directory.Access{OnChain: true},
		}
		change(&c)
		return c
	}
	level := func(l preferences.Level) watchers.Candidate {
		return candidate(func(c *watchers.Candidate) { c.Level, c.LevelPatterns = l, []string{"notes.*"} })
	}
	candidates := []watchers.Candidate{
		candidate(func(c *watchers.Candidate) { c.PrincipalID = a.ActorPrincipalID }),
		candidate(func(c *watchers.Candidate) { c.IsGroup = true }),
		candidate(func(c *watchers.Candidate) { c.Inactive = true }),
		candidate(func(c *watchers.Candidate) { c.Access.OnChain = false }),
		candidate(func(c *watchers.Candidate) { c.MutedActors = []uuid.UUID{a.ActorPrincipalID} }),
		candidate(func(c *watchers.Candidate) { c.Own.MutedActions = []string{"plan.v*"} }),
		candidate(func(c *watchers.Candidate) { c.Own.Muted = new(true) }),
		candidate(func(*watchers.Candidate) {}), // mutations
		candidate(func(c *watchers.Candidate) { c.Reasons = 0 }),
		level(preferences.LevelIgnore), level(preferences.LevelParticipating), level(preferences.LevelCustom),
		level(preferences.LevelAll),
	}
	recipients, dropped := selectRecipients(a, candidates, preferences.Fields{}, preferences.NewFilter(nil))
	if len(recipients) != 1 || recipients[0].PrincipalID != candidates[len(candidates)-1].PrincipalID {
		t.Errorf("recipients: got %+v, want the one with the level all", recipients)
	}
	want := Dropped{
		Actor: 1, Group: 1, Inactive: 1, Permission: 1, MutedActor: 1, MutedAction: 1, Muted: 1, Filtered: 1,
		Ignored: 1, NotParticipating: 1, NotInLevel: 1,
	}
	if diff := cmp.Diff(want, dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	twice := dropped
	twice.add(dropped)
	want = Dropped{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}
	if diff := cmp.Diff(want, twice); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
}
