package oracle

import (
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"
)

// The tree of the tests is root > folder > (signal, sibling).
var (
	root, folder, signal, sibling = uuid.New(), uuid.New(), uuid.New(), uuid.New()
	ann, ben, cay, actor          = uuid.New(), uuid.New(), uuid.New(), uuid.New()
)

func newTree() *Tenant {
	t := NewTenant()
	t.Resources[root] = Resource{}
	t.Resources[folder] = Resource{Parent: root}
	t.Resources[signal] = Resource{Parent: folder}
	t.Resources[sibling] = Resource{Parent: folder}
	return t
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	none, inbox, push := Delivery{}, Delivery{Inbox: true}, Delivery{Inbox: true, Push: true}
	subscribed := func(where uuid.UUID, roles Roles) func(*Tenant) {
		return func(t *Tenant) {
			t.SetSubscriptions(ann, signal, ScopeResource)
			t.SetRoles(ann, where, roles)
		}
	}
	owns := func(p Preference) func(*Tenant) {
		return func(t *Tenant) {
			t.Resources[signal] = Resource{folder, ann}
			t.Preferences[ann] = p
		}
	}
	updated := Activity{Action: "resource.updated", Visibility: "resource"}
	as := func(visibility string) Activity { return Activity{Action: "resource.updated", Visibility: visibility} }
	for _, test := range []struct {
		name     string
		change   func(*Tenant)
		activity Activity
		want     Delivery // to ann
	}{
		{"subscriber with a role on an ancestor", subscribed(root, Viewer), updated, push},
		{"subscriber without a role", subscribed(root, 0), updated, none},
		{"subscriber without a role, visible to the tenant", subscribed(root, 0), as("tenant"), push},
		{"subscriber with a role on a sibling", subscribed(sibling, Viewer), updated, none},
		{"subscriber with a role within the scope", subscribed(sibling, Viewer), as("scope"), push},
		{"subscriber, private", subscribed(root, Viewer), as("private"), none},
		{"delegator, private", subscribed(root, Delegator), as("private"), push},
		{
			"action that is not a mutation", subscribed(root, Viewer),
			Activity{Action: "signal.checked", Visibility: "resource"},
			none,
		},
		{
			"target of an action that is not a mutation", subscribed(root, 0),
			Activity{Action: "signal.checked", Visibility: "private", Targets: []uuid.UUID{ann}},
			push,
		},
		{"subscriber to an ancestor", func(t *Tenant) {
			t.SetSubscriptions(ann, root, ScopeDescendants)
			t.SetRoles(ann, root, Viewer)
		}, Activity{Action: "transfer.done", Visibility: "resource"}, push},
		{"owner, private", owns(Preference{}), Activity{Action: "promotion.done", Visibility: "private"}, push},
		{"muted owner", owns(Preference{Mode: "all", Muted: new(true)}), updated, none},
		{
			"muted target", func(t *Tenant) { t.Preferences[ann] = Preference{Muted: new(true)} },
			Activity{Action: "resource.updated", Visibility: "resource", Targets: []uuid.UUID{ann}},
			inbox,
		},
		{
			"inactive target", func(t *Tenant) { t.Inactive[ann] = true },
			Activity{Action: "resource.updated", Visibility: "resource", Targets: []uuid.UUID{ann}},
			none,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tenant := newTree()
			test.change(tenant)
			test.activity.Resource, test.activity.Actor = signal, actor
			want := map[uuid.UUID]Delivery{}
			if test.want != none {
				want[ann] = test.want
			}
			if got := tenant.Recipients(test.activity); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestRecipientsOfARemovedResource(t *testing.T) {
	t.Parallel()
	tenant := newTree()
	delete(tenant.Resources, signal)
	tenant.SetRoles(ben, folder, OwnerRole)
	tenant.Resources[root] = Resource{Parent: folder} // a cycle
	got := tenant.Recipients(Activity{
		Resource: signal, Actor: actor, Owner: cay, Parent: folder, Action: "resource.deleted", Visibility: "private",
	})
	want := map[uuid.UUID]Delivery{ben: {true, true}, cay: {true, true}}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want the delegator and the recorded owner", got)
	}
}

// TestNotify resolves activities whose actions the taxonomy or the default patterns select.
func TestNotify(t *testing.T) {
	t.Parallel()
	tenant := newTree()
	tenant.Notify = map[string]string{
		"signal.checked": "default", "signal.created": "optional", "signal.stopped": "mandatory",
	}
	for _, p := range []uuid.UUID{ann, ben, cay} {
		tenant.SetSubscriptions(p, signal, ScopeResource)
	}
	tenant.Preferences[ben] = Preference{Mode: "custom", Patterns: []string{"signal.viewed"}}
	tenant.Preferences[cay] = Preference{Mode: "all", Muted: new(true)}
	inbox, push := Delivery{Inbox: true}, Delivery{Inbox: true, Push: true}
	for action, want := range map[string]map[uuid.UUID]Delivery{
		"signal.checked": {ann: push},
		"signal.created": {},
		"signal.stopped": {ann: push, ben: push, cay: inbox},
		"signal.updated": {ann: push},
		"signal.viewed":  {ben: push},
	} {
		got := tenant.Recipients(Activity{Resource: signal, Actor: actor, Action: action, Visibility: "tenant"})
		if !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", action, got, want)
		}
	}
}

// TestDecide decides about ann, who belongs to the group crew through another one.
func TestDecide(t *testing.T) {
	t.Parallel()
	crew, pair := uuid.New(), uuid.New()
	level := func(name string, at uuid.UUID, below bool) func(*Tenant) {
		return func(t *Tenant) {
			t.Resources[signal] = Resource{folder, ann}
			t.SetLevel(ann, at, &Level{Name: name, Below: below, Patterns: []string{"signal.*"}})
		}
	}
	both := func(all ...func(*Tenant)) func(*Tenant) {
		return func(t *Tenant) {
			for _, change := range all {
				change(t)
			}
		}
	}
	crewSubscribes := func(t *Tenant) {
		t.SetSubscriptions(crew, folder, ScopeDescendants)
		t.SetRoles(crew, root, Viewer)
	}
	muted := func(t *Tenant) { t.Preferences[ann] = Preference{Muted: new(true)} }
	updated := Activity{Action: "resource.updated", Visibility: "resource"}
	checked := Activity{Action: "signal.checked", Visibility: "resource"}
	inbox, push := Delivery{Inbox: true}, Delivery{Inbox: true, Push: true}
	through := map[uuid.UUID]bool{crew: true}
	for _, test := range []struct {
		name     string
		change   func(*Tenant)
		activity Activity
		want     Verdict
	}{
		{
			"subscribed through a group", crewSubscribes, updated,
			Verdict{push, ByPreference, Subscribed, through},
		},
		{
			"subscribed directly, too", both(crewSubscribes, func(t *Tenant) {
				t.SetSubscriptions(ann, signal, ScopeResource)
			}), updated,
			Verdict{Delivery: push, Rule: ByPreference, Reasons: Subscribed},
		},
		{
			"delegator through a group, private", func(t *Tenant) { t.SetRoles(crew, root, Delegator) },
			Activity{Action: "resource.updated", Visibility: "private"},
			Verdict{push, ByPreference, Delegate, through},
		},
		{
			"level ignore of an owner", level("ignore", signal, false), updated,
			Verdict{Rule: ByLevel, Reasons: Owner},
		},
		{
			"level above without its descendants", level("ignore", folder, false), updated,
			Verdict{Delivery: push, Rule: ByPreference, Reasons: Owner},
		},
		{
			"the nearest level", both(level("ignore", root, true), level("custom", folder, true)), checked,
			Verdict{Delivery: push, Rule: ByLevel, Reasons: Owner},
		},
		{
			"level custom without a match", level("custom", folder, true), updated,
			Verdict{Rule: ByLevel, Reasons: Owner},
		},
		{
			"level participating of an owner", level("participating", folder, true), checked,
			Verdict{Delivery: push, Rule: ByLevel, Reasons: Owner},
		},
		{
			"level participating of a subscriber",
			both(crewSubscribes, level("participating", folder, true), func(t *Tenant) {
				t.Resources[signal] = Resource{Parent: folder}
			}), updated,
			Verdict{Rule: ByLevel, Reasons: Subscribed},
		},
		{
			"level all, muted", both(level("all", folder, true), muted), checked,
			Verdict{Delivery: inbox, Rule: ByLevel, Reasons: Owner},
		},
		{
			"muted", both(level("all", sibling, true), muted), updated,
			Verdict{Rule: ByPreference, Reasons: Owner},
		},
		{
			"muted by default", both(level("all", sibling, true), func(t *Tenant) {
				t.Defaults.Muted = new(true)
			}), updated,
			Verdict{Rule: ByPreference, Reasons: Owner},
		},
		{
			"default mode of one who is not muted", both(level("all", sibling, true), func(t *Tenant) {
				t.Defaults = Preference{Muted: new(true), Mode: "custom", Patterns: []string{"signal.*"}}
				t.Preferences[ann] = Preference{Muted: new(false)}
			}), checked,
			Verdict{Delivery: push, Rule: ByPreference, Reasons: Owner},
		},
		{
			"muted actor", both(level("all", folder, true), func(t *Tenant) {
				t.Preferences[ann] = Preference{MutedActors: []uuid.UUID{actor}}
			}), updated,
			Verdict{Rule: MutedActor, Reasons: Owner},
		},
		{
			"muted action", both(level("all", folder, true), func(t *Tenant) {
				t.Preferences[ann] = Preference{MutedActions: []string{"a.b", "resource.[!c]*"}}
			}), updated,
			Verdict{Rule: MutedAction, Reasons: Owner},
		},
		{
			"action muted by default", both(level("all", signal, false), func(t *Tenant) {
				t.Defaults.MutedActions = []string{"*.updated"}
				t.Preferences[ann] = Preference{Mode: "all"}
			}), updated,
			Verdict{Rule: MutedAction, Reasons: Owner},
		},
		{
			"own muted actions instead of the default", both(level("all", sibling, true), func(t *Tenant) {
				t.Defaults.MutedActions = []string{"*.updated"}
				t.Preferences[ann] = Preference{MutedActions: []string{}}
			}), updated,
			Verdict{Delivery: push, Rule: ByPreference, Reasons: Owner},
		},
		{
			"target, whatever the level and what is muted are", both(level("ignore", signal, true), func(t *Tenant) {
				t.Preferences[ann] = Preference{
					MutedActors: []uuid.UUID{actor}, MutedActions: []string{"*"}, Mode: "custom",
				}
			}),
			Activity{Action: "signal.checked", Visibility: "private", Targets: []uuid.UUID{ben, ann}},
			Verdict{Delivery: push, Rule: IsTarget, Reasons: Owner | Target},
		},
		{
			"member of a cycle of groups",
			both(crewSubscribes, func(t *Tenant) { t.SetMember(pair, crew, true) }), updated,
			Verdict{push, ByPreference, Subscribed, through},
		},
		{
			"a group", func(t *Tenant) {
				t.SetMember(ann, ben, true)
				t.Resources[signal] = Resource{folder, ann}
			}, updated,
			Verdict{Rule: NotConcerned},
		},
		{
			"inactive", both(crewSubscribes, func(t *Tenant) { t.Inactive[ann] = true }), updated,
			Verdict{Rule: IsInactive, Reasons: Subscribed},
		},
		{
			"without a role", func(t *Tenant) { t.SetSubscriptions(crew, signal, ScopeResource) }, updated,
			Verdict{Rule: MayNotSee, Reasons: Subscribed},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tenant := newTree()
			tenant.SetMember(crew, pair, true)
			tenant.SetMember(pair, ann, true)
			test.change(tenant)
			test.activity.Resource, test.activity.Actor = signal, actor
			got := tenant.Decide(test.activity, ann)
			want := test.want
			if got.Delivery != want.Delivery || got.Rule != want.Rule || got.Reasons != want.Reasons ||
				got.Inbox && !maps.Equal(got.Through, want.Through) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestNesting checks how deep groups in groups may be.
func TestNesting(t *testing.T) {
	t.Parallel()
	for depth, want := range map[int]bool{1: true, 8: true, 9: false} {
		tenant := newTree()
		group := uuid.New()
		tenant.SetRoles(group, root, Delegator)
		for range depth - 1 {
			next := uuid.New()
			tenant.SetMember(group, next, true)
			group = next
		}
		tenant.SetMember(group, ann, true)
		a := Activity{Resource: signal, Actor: actor, Action: "resource.updated", Visibility: "private"}
		if got := tenant.Recipients(a)[ann].Push; got != want {
			t.Errorf("%d memberships: got %t, want %t", depth, got, want)
		}
	}
}

func TestFnmatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"transfer.*", "transfer.requested", true},
		{"transfer.*", "transfer", false},
		{"*.created", "resource.created", true},
		{"*.created*", "file.created_by_import", true},
		{"*.created*", "created.file", false},
		{"resource.[uv]*", "resource.viewed", true},
		{"resource.[!uv]*", "resource.viewed", false},
		{"promotion.?ranted", "promotion.granted", true},
		{"*", "", true},
		{"?", "", false},
	} {
		if got := fnmatch(test.pattern, test.text); got != test.want {
			t.Errorf("fnmatch(%q, %q): got %t, want %t", test.pattern, test.text, got, test.want)
		}
	}
}

func TestExpect(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	mute := func(p uuid.UUID) func(*Tenant) {
		return func(t *Tenant) { t.Preferences[p] = Preference{Mode: "all", Muted: new(true)} }
	}
	tenant := newTree()
	for _, p := range []uuid.UUID{ann, ben, cay} {
		tenant.SetSubscriptions(p, signal, ScopeResource)
	}
	changes := []Change{
		{at(10), at(12), mute(ann)}, // before the delivery
		{at(20), at(30), mute(ben)}, // possibly during it
		{at(40), at(41), mute(cay)}, // after it
	}
	a := Activity{ID: uuid.New(), Resource: signal, Actor: actor, Action: "resource.updated", Visibility: "tenant"}
	got := Expect(tenant, changes, []Window{{a, at(15), at(25)}})[a.ID]
	if want := (map[uuid.UUID]Class{ben: May, cay: Must}); !maps.Equal(got.Push, want) || got.States != 2 {
		t.Errorf("got %v in %d states, want %v in 2", got.Push, got.States, want)
	}
}
