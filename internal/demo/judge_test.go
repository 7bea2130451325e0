package demo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// newTrial returns a scene with observations that match its declaration: Ada is a recipient, Eva is
// muted, Ines is the actor.
func newTrial() *trial {
	id := uuid.MustParse("0197f000-0000-7000-8000-000000000001")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	received := at.Add(3 * time.Millisecond)
	home := tenantID(aurora)
	event := activity.Event{EventID: id, TenantID: home, Action: "resource.updated"}
	return &trial{
		scene: scene{
			title:      "A scene",
			recording:  recording{tenant: aurora, actor: ines, signal: momentum, action: "resource.updated"},
			recipients: reasons{ada: delegator}, inboxOnly: reasons{eva: delegator | target},
			others: map[string]Why{ines: Actor}, shared: []string{activity.ToResource},
		},
		tenants: []tenant{
			{name: aurora, people: []person{
				{name: ada}, {name: ines}, {name: eva}, {name: ledger, offline: true}, {name: screen, screen: true},
			}},
			{name: borealis, people: []person{{name: ada}}},
		},
		filter:  preferences.NewFilter(nil),
		outcome: outcome{activityID: id, committedAt: at},
		observed: observed{
			activity: &activity.Activity{
				ID: id, TenantID: home, ActorPrincipalID: principalID(ines),
				Action: "resource.updated", Visibility: activity.ResourceWide,
			},
			inbox: map[activity.Principal]watchers.Reasons{
				principalOf(aurora, ada): delegator, principalOf(aurora, eva): delegator | target,
			},
			facts: map[uuid.UUID]fact{
				principalID(ada): {Candidate: watchers.Candidate{
					Reasons: delegator, Own: preferences.Fields{Mode: preferences.ModeAll},
				}},
				principalID(eva): {Candidate: watchers.Candidate{
					Reasons: delegator | target, Own: preferences.Fields{Muted: new(true)},
				}},
				principalID(ines): {Candidate: watchers.Candidate{Reasons: owner}},
			},
		},
		histories: []clients.History{{
			Principal:  principalOf(aurora, ada),
			Receptions: []clients.Reception{{Activity: id, TenantID: home, At: received}},
		}},
		messages: []message{
			{principal: principalOf(aurora, ada), channel: activity.ToUser, event: event, at: received},
			{principal: principalOf(aurora, screen), channel: activity.ToResource, event: event, at: received},
		},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	tr := newTrial()
	want := Result{
		Number: 7, Title: "A scene", Tenant: aurora, Action: "resource.updated", Resource: momentum, Actor: ines,
		ActivityID: tr.outcome.activityID, Committed: true, Requests: []Request{},
		Recipients: []Recipient{{Who: ada, Reasons: []string{"delegator"}, Milliseconds: 3}},
		InboxOnly:  []Recipient{{Who: eva, Reasons: []string{"delegator", "target"}}},
		Shared:     []Recipient{{Who: screen, Channel: "resource", Milliseconds: 3}},
		Unread:     []Unread{},
		Others: []Other{
			{Who: ines, Tenant: aurora, Why: Actor, Detail: "the actor"},
			{Who: ada, Tenant: borealis, Why: OtherTenant, Detail: "another tenant"},
		},
		Mismatches: []string{},
	}
	if diff := cmp.Diff(want, tr.judge(7)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMismatches(t *testing.T) {
	t.Parallel()
	abroad := principalOf(borealis, ada)
	for name, test := range map[string]struct {
		change func(tr *trial)
		want   []string
	}{
		"missed": {
			func(tr *trial) { tr.histories = nil; tr.messages = tr.messages[1:] },
			[]string{"Ada Okafor did not receive it"},
		},
		"received and not declared": {
			func(tr *trial) { tr.scene.recipients = nil },
			[]string{
				"Ada Okafor received it and is not a recipient", "Ada Okafor has an inbox row and is not a recipient",
			},
		},
		"received again": {
			func(tr *trial) {
				h := &tr.histories[0]
				h.Receptions = append(h.Receptions, h.Receptions[0])
			},
			[]string{"Ada Okafor received it again"},
		},
		"received in another tenant": {
			func(tr *trial) {
				tr.histories = append(tr.histories, clients.History{
					Principal: abroad, Receptions: tr.histories[0].Receptions,
				})
				tr.observed.inbox[abroad] = subscribed
			},
			[]string{
				"Ada Okafor of Borealis Labs received it and is not a recipient",
				"Ada Okafor of Borealis Labs received an activity of another tenant",
				"Ada Okafor of Borealis Labs has an inbox row and is not a recipient",
			},
		},
		"an inbox row of the screen": {
			func(tr *trial) { tr.observed.inbox[principalOf(aurora, screen)] = subscribed },
			[]string{"Wall screen has an inbox row and is not a recipient"},
		},
		"another reason": {
			func(tr *trial) { tr.scene.recipients = reasons{ada: owner} },
			[]string{"Ada Okafor has the reasons [delegator], want [owner]"},
		},
		"not received for another reason": {
			func(tr *trial) { tr.scene.others = map[string]Why{ines: Filtered} },
			[]string{`Ines Park: the reason is "actor", want "filtered"`},
		},
		"not committed": {
			func(tr *trial) {
				tr.observed = observed{}
				tr.histories, tr.messages = nil, nil
			},
			[]string{
				"in the log: got false, want true", `Ines Park: the reason is "not_committed", want "actor"`,
				"the resource channel: got 0 messages, want 1",
				`Ada Okafor of Borealis Labs: the reason is "not_committed", want "other_tenant"`,
			},
		},
		"committed and not to be": {
			func(tr *trial) { tr.scene = scene{recording: tr.scene.recording, rolledBack: true} },
			[]string{
				"in the log: got true, want false", "Ada Okafor received it and is not a recipient",
				"Ada Okafor has an inbox row and is not a recipient",
				"Eva Novak has an inbox row and is not a recipient",
				`Ines Park: the reason is "actor", want "not_committed"`,
				"the resource channel: got 1 messages, want 0",
				`Ada Okafor of Borealis Labs: the reason is "other_tenant", want "not_committed"`,
			},
		},
		"another scene's activity": {
			func(tr *trial) {
				other := uuid.New()
				tr.histories[0].Receptions[0].Activity, tr.messages[0].event.EventID = other, other
				tr.messages[1].event.EventID = other
			},
			[]string{
				"Ada Okafor did not receive it", "Ada Okafor received an activity that is not of this scene",
				"the resource channel: got 0 messages, want 1",
				"the resource channel: got resource.updated of another scene",
			},
		},
		"an unread count": {
			func(tr *trial) {
				tr.messages = append(tr.messages, message{principal: abroad, channel: activity.ToUser, unread: new(3)})
			},
			[]string{"Ada Okafor of Borealis Labs received the unread counts [3], want []"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrial()
			test.change(tr)
			if diff := cmp.Diff(test.want, tr.judge(1).Mismatches); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
