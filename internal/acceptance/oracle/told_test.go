package oracle

import (
	"maps"
	"slices"
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

func TestTold(t *testing.T) {
	const push, inbox = 2, 1
	subscribed := func(where uuid.UUID, roles Roles) func(*Tenant) {
		return func(t *Tenant) {
			t.Subscribe(ann, signal, Here)
			t.SetRoles(ann, where, roles)
		}
	}
	for _, test := range []struct {
		name       string
		change     func(*Tenant)
		visibility string
		action     string
		target     uuid.UUID
		want       int // how ann hears of it
	}{
		{"a subscriber with a role above", subscribed(root, Viewer), "resource", "resource.updated", uuid.Nil, push},
		{"a subscriber without a role", subscribed(root, 0), "resource", "resource.updated", uuid.Nil, 0},
		{"without a role, and all may see it", subscribed(root, 0), "tenant", "resource.updated", uuid.Nil, push},
		{"with a role beside it", subscribed(sibling, Viewer), "resource", "resource.updated", uuid.Nil, 0},
		{"with a role beside it, within the scope", subscribed(sibling, Viewer), "scope", "resource.updated", uuid.Nil, push},
		{"a private activity", subscribed(root, Viewer), "private", "resource.updated", uuid.Nil, 0},
		{"a delegator and a private activity", subscribed(root, Delegator), "private", "resource.updated", uuid.Nil, push},
		{"an action that is no mutation", subscribed(root, Viewer), "resource", "signal.checked", uuid.Nil, 0},
		{"the target of one", subscribed(root, 0), "private", "signal.checked", ann, push},
		{"a subscription to what is above", func(t *Tenant) { t.Subscribe(ann, root, Below); t.SetRoles(ann, root, Viewer) }, "resource", "transfer.done", uuid.Nil, push},
		{"the owner", func(t *Tenant) { t.Resources[signal] = Resource{folder, ann} }, "private", "promotion.done", uuid.Nil, push},
		{"a muted owner", func(t *Tenant) {
			t.Resources[signal] = Resource{folder, ann}
			t.Preferences[ann] = Preference{Mode: "all", Muted: true}
		}, "resource", "resource.updated", uuid.Nil, 0},
		{"a muted target", func(t *Tenant) { t.Preferences[ann] = Preference{Muted: true} }, "resource", "resource.updated", ann, inbox},
		{"an inactive target", func(t *Tenant) { t.Inactive[ann] = true }, "resource", "resource.updated", ann, 0},
	} {
		tenant := newTree()
		test.change(tenant)
		told := tenant.Told(
			Activity{
				Resource:   signal,
				Actor:      actor,
				Target:     test.target,
				Action:     test.action,
				Visibility: test.visibility,
			},
		)
		got := 0
		if told[ann].Inbox {
			got = inbox
		}
		if told[ann].Push {
			got = push
		}
		if got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
		if len(told) > 0 &&
			len(slices.DeleteFunc(slices.Collect(maps.Keys(told)), func(id uuid.UUID) bool { return id == ann })) > 0 {
			t.Errorf("%s: others hear of it too: %v", test.name, told)
		}
	}
}

func TestToldOfWhatIsGone(t *testing.T) {
	tenant := newTree()
	delete(tenant.Resources, signal)
	tenant.SetRoles(ben, folder, OwnerRole)
	tenant.Resources[root] = Resource{Parent: folder} // a circle
	told := tenant.Told(
		Activity{
			Resource:   signal,
			Actor:      actor,
			Owner:      cay,
			Parent:     folder,
			Action:     "resource.deleted",
			Visibility: "private",
		},
	)
	want := map[uuid.UUID]Told{ben: {true, true}, cay: {true, true}}
	if !maps.Equal(told, want) {
		t.Errorf("got %v, want the delegator and the owner at the recording", told)
	}
}

func TestFnmatch(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"transfer.*", "transfer.requested", true},
		{"transfer.*", "transfer", false},
		{"*.created", "resource.created", true},
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

func TestJudge(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	mute := func(p uuid.UUID, muted bool) func(*Tenant) {
		return func(t *Tenant) { t.Preferences[p] = Preference{Mode: "all", Muted: muted} }
	}
	tenant := newTree()
	for _, p := range []uuid.UUID{ann, ben, cay} {
		tenant.Subscribe(p, signal, Here)
	}
	changes := []Change{
		{at(10), at(12), mute(ann, true)}, // before the sending
		{at(20), at(30), mute(ben, true)}, // while it may have been sent
		{at(40), at(41), mute(cay, true)}, // after it
	}
	a := Activity{ID: uuid.New(), Resource: signal, Actor: actor, Action: "resource.updated", Visibility: "tenant"}
	verdict := Judge(tenant, changes, []Sending{{a, at(15), at(25)}})[a.ID]
	if want := (map[uuid.UUID]Class{ben: Either, cay: Must}); !maps.Equal(verdict.Push, want) || verdict.States != 2 {
		t.Errorf("got %v in %d states, want %v in 2", verdict.Push, verdict.States, want)
	}
}
