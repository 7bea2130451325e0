package demo

import (
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// trial weighs what a scene declares against what was measured.
type trial struct {
	scene    scene
	tenants  []tenant
	filter   *preferences.Filter
	done     done
	observed observed
	sounds   []sound
	result   Result
}

// judge finds out who heard and why the others did not, and where that is not what the scene
// declares.
func judge(
	number int,
	sc scene,
	tenants []tenant,
	filter *preferences.Filter,
	d done,
	o observed,
	sounds []sound,
) Result {
	t := &trial{scene: sc, tenants: tenants, filter: filter, done: d, observed: o, sounds: sounds, result: Result{
		Number: number, Title: sc.title, Story: sc.story, Tenant: sc.deed.tenant, Action: sc.deed.action, Resource: sc.deed.signal,
		Actor: sc.deed.actor, ActivityID: d.activityID, Committed: o.activity != nil, Requests: append([]Request{}, d.requests...),
		Heard: []Heard{}, InboxOnly: []Heard{}, Shared: []Heard{}, Unread: []Unread{}, Silent: []Silent{},
		Mismatches: append([]string{}, d.wrong...),
	}}
	if sc.deed.action != "" {
		t.audience()
	}
	for _, tn := range tenants {
		for _, p := range tn.people {
			t.unread(tn, p)
		}
	}
	t.strays()
	return t.result
}

// audience weighs who heard of the activity.
func (t *trial) audience() {
	if want := !t.scene.rolledBack; t.result.Committed != want {
		t.mismatch("in the log: got %t, want %t", t.result.Committed, want)
	}
	for _, tn := range t.tenants {
		for _, p := range tn.people {
			switch {
			case p.screen:
				t.screen(tn, p)
			case !p.deaf:
				t.person(tn, p)
			}
		}
	}
}

func (t *trial) mismatch(format string, args ...any) {
	t.result.Mismatches = append(t.result.Mismatches, fmt.Sprintf(format, args...))
}

// person weighs one person's pushes and inbox.
func (t *trial) person(tn tenant, p person) {
	name := p.name
	var hear, find watchers.Reasons
	if tn.name == t.scene.deed.tenant {
		hear = t.scene.hear[name]
		find = hear | t.scene.inboxOnly[name]
	} else {
		name += " of " + tn.name
	}
	ear := watchers.Principal{TenantID: tn.id, PrincipalID: p.id()}
	pushes := t.arrived(ear, activity.ToUser)
	wantPushes := 0
	if hear != 0 {
		wantPushes = 1
	}
	if len(pushes) != wantPushes {
		t.mismatch("%s received it %s, and was to receive it %s", name, times(len(pushes)), times(wantPushes))
	}
	found := t.observed.inbox[ear]
	if found != find {
		t.mismatch("%s has it in the inbox as [%s], and was to have it as [%s]", name, found, find)
	}
	switch {
	case len(pushes) > 0:
		t.result.Heard = append(
			t.result.Heard,
			Heard{Who: p.name, Reasons: found.Names(), Milliseconds: t.latency(pushes[0])},
		)
	case found != 0:
		t.result.InboxOnly = append(t.result.InboxOnly, Heard{Who: p.name, Reasons: found.Names()})
	default:
		t.silent(tn, p, name, find != 0)
	}
}

// silent says why somebody heard nothing. Of one who was to hear, that they did not is said
// already.
func (t *trial) silent(tn tenant, p person, name string, wasToHear bool) {
	why, detail := t.explain(tn, p)
	t.result.Silent = append(t.result.Silent, Silent{Who: p.name, Tenant: tn.name, Why: why, Detail: detail})
	if want := t.declared(tn, p); why != want && !wasToHear {
		t.mismatch("%s did not hear because %q, and the script says because %q", name, why, want)
	}
}

func (t *trial) explain(tn tenant, p person) (Why, string) {
	switch a := t.observed.activity; {
	case a == nil:
		return NotCommitted, "nothing was committed"
	case tn.id != a.TenantID:
		return OtherTenant, "another tenant"
	default:
		return explain(a, p.id(), t.observed.facts[p.id()], t.filter)
	}
}

func (t *trial) declared(tn tenant, p person) Why {
	if t.scene.rolledBack {
		return NotCommitted
	}
	if tn.name != t.scene.deed.tenant {
		return OtherTenant
	}
	if why, named := t.scene.silent[p.name]; named {
		return why
	}
	return NotWatching
}

// screen weighs what the shared channels carried.
func (t *trial) screen(tn tenant, p person) {
	ear := watchers.Principal{TenantID: tn.id, PrincipalID: p.id()}
	for _, kind := range []string{activity.ToResource, activity.ToTenant} {
		got, want := t.arrived(ear, kind), 0
		if slices.Contains(t.scene.onScreen, kind) {
			want = 1
		}
		if len(got) != want {
			t.mismatch("the %s channel carried it %s, and was to carry it %s", kind, times(len(got)), times(want))
		}
		if len(got) > 0 {
			t.result.Shared = append(
				t.result.Shared,
				Heard{Who: p.name, Channel: kind, Milliseconds: t.latency(got[0])},
			)
		}
	}
}

// unread weighs the unread counts that one person's open clients were told.
func (t *trial) unread(tn tenant, p person) {
	var got, want []int
	for _, s := range t.sounds {
		if s.unread != nil && s.ear == (watchers.Principal{TenantID: tn.id, PrincipalID: p.id()}) {
			got = append(got, *s.unread)
			t.result.Unread = append(t.result.Unread, Unread{Who: p.name, Count: *s.unread, Milliseconds: t.latency(s)})
		}
	}
	if count, declared := t.scene.unread[p.name]; declared && tn.name == t.scene.deed.tenant {
		want = append(want, count)
	}
	if !slices.Equal(got, want) {
		t.mismatch("%s of %s was told the unread counts %v, and was to be told %v", p.name, tn.name, got, want)
	}
}

// strays looks for messages and inbox rows that have no business to be there at all.
func (t *trial) strays() {
	known := map[watchers.Principal]person{}
	for _, tn := range t.tenants {
		for _, p := range tn.people {
			known[watchers.Principal{TenantID: tn.id, PrincipalID: p.id()}] = p
		}
	}
	for _, s := range t.sounds {
		p := known[s.ear]
		expected := s.channel == activity.ToUser && !p.screen ||
			p.screen && (s.channel == activity.ToResource || s.channel == activity.ToTenant)
		switch {
		case s.unread == nil && s.event.EventID != t.done.activityID:
			t.mismatch(
				"%s received %s %s on %s, which is not of this scene",
				p.name,
				s.event.Action,
				s.event.EventID,
				s.channel,
			)
		case s.unread == nil && s.event.TenantID != s.ear.TenantID:
			t.mismatch("%s received what is of another tenant", p.name)
		case !expected:
			t.mismatch("%s received it on %s", p.name, s.channel)
		}
	}
	for who := range t.observed.inbox {
		if p, ok := known[who]; !ok || p.deaf || p.screen {
			t.mismatch("an inbox row for %s, who watches nothing", who.PrincipalID)
		}
	}
}

func (t *trial) arrived(ear watchers.Principal, channel string) []sound {
	if t.done.activityID == uuid.Nil {
		return nil
	}
	var of []sound
	for _, s := range t.sounds {
		if s.ear == ear && s.channel == channel && s.event.EventID == t.done.activityID {
			of = append(of, s)
		}
	}
	return of
}

func (t *trial) latency(s sound) float64 {
	if t.done.committedAt.IsZero() {
		return 0
	}
	return milliseconds(max(0, s.at.Sub(t.done.committedAt)))
}

func times(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	default:
		return fmt.Sprintf("%d times", n)
	}
}

// percentile returns the value below which a share of the sorted values lies, by the nearest rank;
// 0 of none.
func percentile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
