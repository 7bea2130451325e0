package demo

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// trial compares what a scene declares with what was observed.
type trial struct {
	scene     scene
	tenants   []tenant
	filter    *preferences.Filter
	outcome   outcome
	observed  observed
	histories []clients.History // own channels
	messages  []message         // all channels
	result    Result
}

// judge fills the result.
func (t *trial) judge(number int) Result {
	r, sc := t.scene.recording, t.scene
	t.result = Result{
		Number: number, Title: sc.title, Story: sc.story, Tenant: r.tenant, Action: r.action, Resource: r.signal,
		Actor: r.actor, ActivityID: t.outcome.activityID, Committed: t.observed.activity != nil,
		Requests:   append([]Request{}, t.outcome.requests...),
		Recipients: []Recipient{}, InboxOnly: []Recipient{}, Shared: []Recipient{},
		Unread: []Unread{}, Others: []Other{},
		Mismatches: append([]string{}, t.outcome.mismatches...),
	}
	if want := r.action != "" && !sc.rolledBack; t.result.Committed != want {
		t.mismatch("in the log: got %t, want %t", t.result.Committed, want)
	}
	t.judgeDeliveries()
	for _, tn := range t.tenants {
		for _, p := range tn.people {
			switch {
			case r.action == "" || p.offline:
			case p.screen:
				t.judgeScreen(tn, p)
			default:
				t.judgePerson(tn, p)
			}
			t.judgeUnread(tn, p)
		}
	}
	return t.result
}

func (t *trial) mismatch(format string, args ...any) {
	t.result.Mismatches = append(t.result.Mismatches, fmt.Sprintf(format, args...))
}

// judgeDeliveries judges pushes and inbox rows of all tenants.
func (t *trial) judgeDeliveries() {
	evidence := &acceptance.Evidence{
		Expected: map[uuid.UUID]acceptance.Expected{}, Clients: t.histories, Inbox: map[acceptance.Delivery]int{},
	}
	if t.result.Committed {
		x := oracle.Expectation{Push: map[uuid.UUID]oracle.Class{}, Inbox: map[uuid.UUID]oracle.Class{}}
		for name := range t.scene.recipients {
			x.Push[principalID(name)], x.Inbox[principalID(name)] = oracle.Must, oracle.Must
		}
		for name := range t.scene.inboxOnly {
			x.Inbox[principalID(name)] = oracle.Must
		}
		evidence.Expected[t.outcome.activityID] = acceptance.Expected{
			TenantID: tenantID(t.scene.recording.tenant), Expectation: x,
		}
	}
	for principal := range t.observed.inbox {
		evidence.Inbox[acceptance.Delivery{Activity: t.outcome.activityID, Principal: principal}] = 1
	}
	found := acceptance.Judge(evidence)
	for _, kind := range []struct {
		deliveries []acceptance.Delivery
		what       string
	}{
		{found.MissedConnected, "did not receive it"},
		{found.MissedReconnected, "did not receive it"},
		{found.Unexpected, "received it and is not a recipient"},
		{found.Repeated, "received it again"},
		{found.Foreign, "received an activity of another tenant"},
		{found.Phantom, "received an activity that is not of this scene"},
		{found.InboxMissing, "has no inbox row"},
		{found.InboxUnexpected, "has an inbox row and is not a recipient"},
	} {
		var names []string
		for _, d := range kind.deliveries {
			names = append(names, t.name(d.Principal))
		}
		for _, name := range slices.Sorted(slices.Values(names)) {
			t.mismatch("%s %s", name, kind.what)
		}
	}
}

// name returns a principal's name, with the tenant if it is not the scene's.
func (t *trial) name(p activity.Principal) string {
	for _, tn := range t.tenants {
		for _, person := range tn.people {
			if p == principalOf(tn.name, person.name) {
				return nameIn(tn, person, t.scene.recording.tenant)
			}
		}
	}
	return p.PrincipalID.String()
}

func nameIn(tn tenant, p person, sceneTenant string) string {
	if tn.name != sceneTenant {
		return p.name + " of " + tn.name
	}
	return p.name
}

// judgePerson records what a person received, and the reasons, or why they received nothing.
func (t *trial) judgePerson(tn tenant, p person) {
	principal := principalOf(tn.name, p.name)
	name := nameIn(tn, p, t.scene.recording.tenant)
	var want watchers.Reasons
	if tn.name == t.scene.recording.tenant {
		want = t.scene.recipients[p.name] | t.scene.inboxOnly[p.name]
	}
	got := t.observed.inbox[principal]
	if got != 0 && want != 0 && got != want {
		t.mismatch("%s has the reasons [%s], want [%s]", name, got, want)
	}
	received := t.received(principal, activity.ToUser)
	recipient := Recipient{Who: p.name, Reasons: got.Names()}
	switch {
	case len(received) > 0:
		recipient.Milliseconds = t.latency(received[0].at)
		t.result.Recipients = append(t.result.Recipients, recipient)
	case got != 0:
		t.result.InboxOnly = append(t.result.InboxOnly, recipient)
	default:
		why, detail := t.explain(tn, p)
		t.result.Others = append(t.result.Others, Other{Who: p.name, Tenant: tn.name, Why: why, Detail: detail})
		if declared := t.declared(tn, p); why != declared && want == 0 {
			t.mismatch("%s: the reason is %q, want %q", name, why, declared)
		}
	}
}

func (t *trial) explain(tn tenant, p person) (Why, string) {
	switch a := t.observed.activity; {
	case a == nil:
		return NotCommitted, "nothing was committed"
	case tenantID(tn.name) != a.TenantID:
		return OtherTenant, "another tenant"
	default:
		id := principalID(p.name)
		return explain(a, id, t.observed.facts[id], t.filter)
	}
}

func (t *trial) declared(tn tenant, p person) Why {
	if t.scene.rolledBack {
		return NotCommitted
	}
	if tn.name != t.scene.recording.tenant {
		return OtherTenant
	}
	if why, declared := t.scene.others[p.name]; declared {
		return why
	}
	return NotWatching
}

// judgeScreen judges the shared channels.
func (t *trial) judgeScreen(tn tenant, p person) {
	principal := principalOf(tn.name, p.name)
	for _, kind := range []string{activity.ToResource, activity.ToTenant} {
		got, want := t.received(principal, kind), 0
		if slices.Contains(t.scene.shared, kind) {
			want = 1
		}
		if len(got) != want {
			t.mismatch("the %s channel: got %d messages, want %d", kind, len(got), want)
		}
		if len(got) > 0 {
			latency := t.latency(got[0].at)
			t.result.Shared = append(t.result.Shared, Recipient{Who: p.name, Channel: kind, Milliseconds: latency})
		}
	}
	for _, m := range t.messages {
		if m.principal == principal && m.channel != activity.ToUser && m.event.EventID != t.outcome.activityID {
			t.mismatch("the %s channel: got %s of another scene", m.channel, m.event.Action)
		}
	}
}

// judgeUnread judges the unread counts that a person's clients received.
func (t *trial) judgeUnread(tn tenant, p person) {
	var got, want []int
	for _, m := range t.messages {
		if m.unread != nil && m.principal == principalOf(tn.name, p.name) {
			got = append(got, *m.unread)
			t.result.Unread = append(t.result.Unread, Unread{p.name, *m.unread, t.latency(m.at)})
		}
	}
	if count, declared := t.scene.unread[p.name]; declared && tn.name == t.scene.recording.tenant {
		want = append(want, count)
	}
	if !slices.Equal(got, want) {
		t.mismatch("%s received the unread counts %v, want %v", nameIn(tn, p, t.scene.recording.tenant), got, want)
	}
}

// received returns the messages with the scene's activity.
func (t *trial) received(p activity.Principal, channel string) (list []message) {
	for _, m := range t.messages {
		if m.principal == p && m.channel == channel && m.unread == nil && m.event.EventID == t.outcome.activityID {
			list = append(list, m)
		}
	}
	return list
}

func (t *trial) latency(at time.Time) float64 {
	if t.outcome.committedAt.IsZero() {
		return 0
	}
	return milliseconds(max(0, at.Sub(t.outcome.committedAt)))
}
