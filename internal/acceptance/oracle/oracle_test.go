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
		{"muted owner", owns(Preference{Mode: "all", Muted: true}), updated, none},
		{
			"muted target", func(t *Tenant) { t.Preferences[ann] = Preference{Muted: true} },
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
	tenant.Preferences[cay] = Preference{Mode: "all", Muted: true}
	for action, want := range map[string][]uuid.UUID{
		"signal.checked": {ann},
		"signal.created": nil,
		"signal.stopped": {ann, ben},
		"signal.updated": {ann},
		"signal.viewed":  {ben},
	} {
		got := tenant.Recipients(Activity{Resource: signal, Actor: actor, Action: action, Visibility: "tenant"})
		expected := map[uuid.UUID]Delivery{}
		for _, p := range want {
			expected[p] = Delivery{true, true}
		}
		if !maps.Equal(got, expected) {
			t.Errorf("%s: got %v, want %v", action, got, want)
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
		return func(t *Tenant) { t.Preferences[p] = Preference{Mode: "all", Muted: true} }
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
