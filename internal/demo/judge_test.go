package demo

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// measured is what a test lets be measured.
type measured struct {
	done     done
	observed observed
	sounds   []sound
}

// asDeclared measures what the scene of the tests declares: Ada hears, Eva finds it in the inbox,
// Ines has done it.
func asDeclared() measured {
	home := tenantID(aurora)
	id := uuid.MustParse("0197f000-0000-7000-8000-000000000001")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	heard := func(who, channel string, after time.Duration) sound {
		return sound{
			ear: watchers.Principal{TenantID: home, PrincipalID: principalID(who)}, channel: channel,
			event: activity.Event{EventID: id, TenantID: home, Action: "resource.updated"}, at: at.Add(after),
		}
	}
	return measured{
		done: done{activityID: id, committedAt: at},
		observed: observed{
			activity: &activity.Activity{
				ID:               id,
				TenantID:         home,
				ActorPrincipalID: principalID(ines),
				Action:           "resource.updated",
				Visibility:       activity.ResourceWide,
			},
			inbox: map[watchers.Principal]watchers.Reasons{
				{TenantID: home, PrincipalID: principalID(ada)}: delegator,
				{TenantID: home, PrincipalID: principalID(eva)}: delegator | target,
			},
			facts: map[uuid.UUID]fact{
				principalID(ada):  {Candidate: watchers.Candidate{Reasons: delegator, FilterMode: "all"}},
				principalID(eva):  {Candidate: watchers.Candidate{Reasons: delegator | target, Muted: true}},
				principalID(ines): {Candidate: watchers.Candidate{Reasons: owner}},
			},
		},
		sounds: []sound{
			heard(ada, activity.ToUser, 3*time.Millisecond),
			heard(screen, activity.ToResource, 4*time.Millisecond),
		},
	}
}

func declaration() (scene, []tenant) {
	sc := scene{
		title: "A scene", deed: deed{tenant: aurora, actor: ines, signal: momentum, action: "resource.updated"},
		hear: reasons{ada: delegator}, inboxOnly: reasons{eva: delegator | target}, silent: map[string]Why{ines: Actor},
		onScreen: []string{activity.ToResource},
	}
	tenants := []tenant{
		{name: aurora, id: tenantID(aurora), people: []person{
			{name: ada}, {name: ines}, {name: eva}, {name: ledger, deaf: true}, {name: screen, screen: true},
		}},
		{name: borealis, id: tenantID(borealis), people: []person{{name: ada}}},
	}
	return sc, tenants
}

func TestJudgeWhatIsAsDeclared(t *testing.T) {
	t.Parallel()
	sc, tenants := declaration()
	m := asDeclared()
	got := judge(7, sc, tenants, preferences.NewFilter(nil), m.done, m.observed, m.sounds)
	want := Result{
		Number: 7, Title: "A scene", Tenant: aurora, Action: "resource.updated", Resource: momentum, Actor: ines,
		ActivityID: m.done.activityID, Committed: true, Requests: []Request{},
		Heard:     []Heard{{Who: ada, Reasons: []string{"delegator"}, Milliseconds: 3}},
		InboxOnly: []Heard{{Who: eva, Reasons: []string{"delegator", "target"}}},
		Shared:    []Heard{{Who: screen, Channel: "resource", Milliseconds: 4}},
		Unread:    []Unread{},
		Silent: []Silent{
			{Who: ines, Tenant: aurora, Why: Actor, Detail: "did it"},
			{Who: ada, Tenant: borealis, Why: OtherTenant, Detail: "another tenant"},
		},
		Mismatches: []string{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestJudgeFindsWhatIsNot(t *testing.T) {
	t.Parallel()
	abroad := watchers.Principal{TenantID: tenantID(borealis), PrincipalID: principalID(ada)}
	for name, test := range map[string]struct {
		change func(sc *scene, m *measured)
		want   []string
	}{
		"one who hears nothing": {
			func(_ *scene, m *measured) { m.sounds = m.sounds[1:] },
			[]string{"Ada Okafor received it never, and was to receive it once"},
		},
		"neither push nor inbox row": {
			func(_ *scene, m *measured) {
				m.sounds = m.sounds[1:]
				delete(m.observed.inbox, watchers.Principal{TenantID: tenantID(aurora), PrincipalID: principalID(ada)})
			},
			[]string{
				"Ada Okafor received it never, and was to receive it once",
				"Ada Okafor has it in the inbox as [], and was to have it as [delegator]",
			},
		},
		"one who hears twice": {
			func(_ *scene, m *measured) { m.sounds = append(m.sounds, m.sounds[0]) },
			[]string{"Ada Okafor received it 2 times, and was to receive it once"},
		},
		"one who hears and should not": {
			func(sc *scene, _ *measured) { sc.hear = nil },
			[]string{
				"Ada Okafor received it once, and was to receive it never",
				"Ada Okafor has it in the inbox as [delegator], and was to have it as []",
			},
		},
		"another reason": {
			func(sc *scene, _ *measured) { sc.hear = reasons{ada: owner} },
			[]string{"Ada Okafor has it in the inbox as [delegator], and was to have it as [owner]"},
		},
		"silence for another reason": {
			func(sc *scene, _ *measured) { sc.silent = map[string]Why{ines: Filtered} },
			[]string{`Ines Park did not hear because "actor", and the script says because "filtered"`},
		},
		"a push for one who is muted": {
			func(_ *scene, m *measured) {
				s := m.sounds[0]
				s.ear.PrincipalID = principalID(eva)
				m.sounds = append(m.sounds, s)
			},
			[]string{"Eva Novak received it once, and was to receive it never"},
		},
		"another tenant's hears": {
			func(_ *scene, m *measured) {
				s := m.sounds[0]
				s.ear = abroad
				m.sounds = append(m.sounds, s)
			},
			[]string{
				"Ada Okafor of Borealis Labs received it once, and was to receive it never",
				"Ada Okafor received what is of another tenant",
			},
		},
		"another tenant's inbox": {
			func(_ *scene, m *measured) { m.observed.inbox[abroad] = subscribed },
			[]string{"Ada Okafor of Borealis Labs has it in the inbox as [subscribed], and was to have it as []"},
		},
		"an inbox row for nobody": {
			func(_ *scene, m *measured) {
				m.observed.inbox[watchers.Principal{TenantID: tenantID(aurora), PrincipalID: principalID(ledger)}] = subscribed
			},
			[]string{"an inbox row for " + principalID(ledger).String() + ", who watches nothing"},
		},
		"a shared channel that is silent": {
			func(_ *scene, m *measured) { m.sounds = m.sounds[:1] },
			[]string{"the resource channel carried it never, and was to carry it once"},
		},
		"a shared channel that carries it and should not": {
			func(sc *scene, _ *measured) { sc.onScreen = nil },
			[]string{"the resource channel carried it once, and was to carry it never"},
		},
		"a channel that is nobody's business": {
			func(_ *scene, m *measured) {
				s := m.sounds[0]
				s.channel = "user:#else"
				m.sounds = append(m.sounds, s)
			},
			[]string{"Ada Okafor received it on user:#else"},
		},
		"something else": {
			func(_ *scene, m *measured) {
				s := m.sounds[0]
				s.event.EventID = uuid.Nil
				m.sounds = append(m.sounds, s)
			},
			[]string{"Ada Okafor received resource.updated 00000000-0000-0000-0000-000000000000 on user, which is not of this scene"},
		},
		"an unread count that nobody asked for": {
			func(_ *scene, m *measured) {
				m.sounds = append(m.sounds, sound{ear: m.sounds[0].ear, channel: activity.ToUser, unread: new(3)})
			},
			[]string{"Ada Okafor of Aurora Capital was told the unread counts [3], and was to be told []"},
		},
		"no unread count": {
			func(sc *scene, _ *measured) { sc.unread = map[string]int{ada: 0} },
			[]string{"Ada Okafor of Aurora Capital was told the unread counts [], and was to be told [0]"},
		},
		"an unread count for all to see": {
			func(sc *scene, m *measured) {
				sc.unread = map[string]int{ada: 0}
				m.sounds = append(m.sounds, sound{ear: m.sounds[0].ear, channel: "resource:else", unread: new(0)})
			},
			[]string{"Ada Okafor received it on resource:else"},
		},
		"what the API answered": {
			func(_ *scene, m *measured) { m.done.wrong = []string{"unread: got 1, want 2"} },
			[]string{"unread: got 1, want 2"},
		},
		"what was to be rolled back": {
			func(sc *scene, m *measured) {
				*sc = scene{rolledBack: true, deed: sc.deed}
				m.sounds, m.observed.inbox = nil, nil
			},
			[]string{
				"in the log: got true, want false",
				`Ada Okafor did not hear because "unexplained", and the script says because "not_committed"`,
				`Ines Park did not hear because "actor", and the script says because "not_committed"`,
				`Eva Novak did not hear because "muted", and the script says because "not_committed"`,
				`Ada Okafor of Borealis Labs did not hear because "other_tenant", and the script says because "not_committed"`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc, tenants := declaration()
			m := asDeclared()
			test.change(&sc, &m)
			got := judge(1, sc, tenants, preferences.NewFilter(nil), m.done, m.observed, m.sounds).Mismatches
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestJudgeARollback(t *testing.T) {
	t.Parallel()
	sc, tenants := declaration()
	got := judge(
		1,
		scene{rolledBack: true, deed: sc.deed},
		tenants,
		preferences.NewFilter(nil),
		done{activityID: uuid.New()},
		observed{},
		nil,
	)
	if len(got.Mismatches) > 0 || got.Committed || len(got.Silent) != 4 {
		t.Errorf("got %+v, want four who hear nothing of what was not committed", got)
	}
}

// A scene without an activity is about what the API answers and whom it tells of an unread count.
func TestJudgeWithoutAnActivity(t *testing.T) {
	t.Parallel()
	_, tenants := declaration()
	sc := scene{title: "A scene", deed: deed{tenant: aurora, actor: ada}, unread: map[string]int{ada: 0}}
	m := asDeclared()
	heard := m.sounds[0]
	asked := []Request{{Who: ada, Tenant: aurora, Method: "POST", Path: "/v1/notifications/mark-all-read", Status: 200}}
	told := sound{ear: heard.ear, channel: activity.ToUser, unread: new(0), at: heard.at}
	at := done{committedAt: m.done.committedAt, requests: asked}
	got := judge(3, sc, tenants, preferences.NewFilter(nil), at, observed{}, []sound{told})
	want := Result{
		Number: 3, Title: "A scene", Tenant: aurora, Actor: ada, Requests: asked, Unread: []Unread{{Who: ada, Count: 0, Milliseconds: 3}},
		Heard: []Heard{}, InboxOnly: []Heard{}, Shared: []Heard{}, Silent: []Silent{}, Mismatches: []string{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := judge(3, sc, tenants, preferences.NewFilter(nil), at, observed{}, []sound{told, heard}).Mismatches; len(
		got,
	) != 1 {
		t.Errorf("got %q, want one mismatch: somebody heard of an activity", got)
	}
}

// A name that the script misspells would be expected of nobody.
func TestScriptNamesPeopleWhoExist(t *testing.T) {
	t.Parallel()
	people := map[string][]string{}
	for _, tn := range newWorld() {
		for _, p := range tn.people {
			if !p.deaf && !p.screen {
				people[tn.name] = append(people[tn.name], p.name)
			}
		}
	}
	for _, sc := range script() {
		named := map[string]int{}
		for who := range sc.hear {
			named[who]++
		}
		for who := range sc.inboxOnly {
			named[who]++
		}
		for who := range sc.silent {
			named[who]++
		}
		for who := range sc.unread {
			named[who]++
		}
		for who, n := range named {
			if n > 1 {
				t.Errorf("%s: %s is declared %d times", sc.title, who, n)
			}
			if !slices.Contains(people[sc.deed.tenant], who) {
				t.Errorf("%s: there is no %s in %s who could hear", sc.title, who, sc.deed.tenant)
			}
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	ten := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, test := range []struct {
		values      []float64
		share, want float64
	}{
		{nil, 0.5, 0},
		{[]float64{4}, 0.99, 4},
		{ten, 0.5, 5},
		{ten, 0.99, 10},
		{ten, 0.9, 9},
		{ten, 0, 1},
		{ten, 1, 10},
	} {
		if got := percentile(test.values, test.share); got != test.want {
			t.Errorf("percentile of %v at %v: got %v, want %v", test.values, test.share, got, test.want)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	t.Parallel()
	if got := milliseconds(1234567 * time.Nanosecond); got != 1.23 {
		t.Errorf("got %v, want 1.23", got)
	}
	if got := ms(1.26); !strings.HasPrefix(got, "1.3") {
		t.Errorf("got %q, want 1.3 ms", got)
	}
}
