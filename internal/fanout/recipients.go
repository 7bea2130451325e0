package fanout

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// Recipient is a candidate that is notified.
type Recipient struct {
	PrincipalID uuid.UUID
	Reasons     watchers.Reasons // those that apply to the activity
	GroupID     uuid.UUID        // a group through which one of them holds that does not hold directly, or uuid.Nil
	Push        bool             // publish on the recipient's own channel, besides the inbox row
}

// Dropped counts the candidates that did not become recipients, by the rule that decided.
type Dropped struct {
	Actor       int // RuleActor
	Group       int // RuleGroup
	Inactive    int // RuleInactive
	Permission  int // RulePermission
	MutedActor  int // RuleMutedActor
	MutedAction int // RuleMutedAction
	Muted       int // RuleMuted
	Filtered    int // RuleMode

	// RuleLevel, by the level.
	Ignored, NotParticipating, NotInLevel int
}

func (d *Dropped) add(o Dropped) {
	d.Actor += o.Actor
	d.Group += o.Group
	d.Inactive += o.Inactive
	d.Permission += o.Permission
	d.MutedActor += o.MutedActor
	d.MutedAction += o.MutedAction
	d.Muted += o.Muted
	d.Filtered += o.Filtered
	d.Ignored += o.Ignored
	d.NotParticipating += o.NotParticipating
	d.NotInLevel += o.NotInLevel
}

// count counts a candidate with a level that the rule decided not to notify.
func (d *Dropped) count(r Rule, level preferences.Level) {
	switch r {
	case RuleActor:
		d.Actor++
	case RuleGroup:
		d.Group++
	case RuleInactive:
		d.Inactive++
	case RulePermission:
		d.Permission++
	case RuleMutedActor:
		d.MutedActor++
	case RuleMutedAction:
		d.MutedAction++
	case RuleLevel:
		d.countLevel(level)
	case RuleMuted:
		d.Muted++
	case RuleMode:
		d.Filtered++
	case RuleNone, RuleMandatory, RuleTarget: // drop no candidate
	}
}

func (d *Dropped) countLevel(level preferences.Level) {
	switch level {
	case preferences.LevelIgnore:
		d.Ignored++
	case preferences.LevelParticipating:
		d.NotParticipating++
	case preferences.LevelCustom:
		d.NotInLevel++
	case preferences.LevelAll: // drops no candidate
	}
}

// selectRecipients returns the candidates that are notified of an activity.
func selectRecipients(
	a *activity.Activity,
	candidates []watchers.Candidate,
	tenant preferences.Fields,
	filter ActionFilter,
) ([]Recipient, Dropped) {
	recipients := make([]Recipient, 0, len(candidates))
	var dropped Dropped
	for i := range candidates {
		d := Decide(a, &candidates[i], tenant, filter)
		if !d.Notified {
			dropped.count(d.Rule, candidates[i].Level)
			continue
		}
		recipients = append(recipients, Recipient{
			PrincipalID: candidates[i].PrincipalID, Reasons: d.Reasons, GroupID: d.GroupID, Push: d.Push,
		})
	}
	return recipients, dropped
}
