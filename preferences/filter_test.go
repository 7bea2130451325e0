package preferences_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fanfarehq/fanfare/preferences"
)

func TestWants(t *testing.T) {
	t.Parallel()
	custom := func(patterns ...string) preferences.Preference {
		return preferences.Preference{Mode: preferences.ModeCustom, CustomActions: patterns}
	}
	mode := func(m preferences.Mode) preferences.Preference { return preferences.Preference{Mode: m} }
	for _, test := range []struct {
		name      string
		mutations []string
		p         preferences.Preference
		action    string
		want      bool
	}{
		{"all", nil, mode("all"), "signal.viewed", true},
		{"all, with patterns left over", nil, preferences.Preference{Mode: "all", CustomActions: []string{"x"}}, "signal.viewed", true},

		{"default, created", nil, preferences.Preference{}, "resource.created", true},
		{"default, viewed", nil, preferences.Preference{}, "resource.viewed", false},
		{"default ignores patterns", nil, preferences.Preference{CustomActions: []string{"*"}}, "resource.viewed", false},
		{"updated", nil, mode("mutations"), "resource.updated", true},
		{"deleted", nil, mode("mutations"), "resource.deleted", true},
		{"an entry is a prefix", nil, mode("mutations"), "resource.created_by_import", true},
		{"starred entry", nil, mode("mutations"), "transfer.accepted", true},
		{"other starred entry", nil, mode("mutations"), "promotion.approved", true},
		{"the dot belongs to the prefix", nil, mode("mutations"), "transferred.x", false},
		{"not elsewhere than in front", nil, mode("mutations"), "my.resource.created", false},
		{"unknown mode, mutation", nil, mode("sometimes"), "resource.created", true},
		{"unknown mode, other", nil, mode("sometimes"), "signal.created", false},
		{"modes have a case", nil, mode("ALL"), "signal.created", false},

		{"configured", []string{"signal.*"}, preferences.Preference{}, "signal.created", true},
		{"configured replaces", []string{"signal.*"}, preferences.Preference{}, "resource.created", false},
		{"only a trailing star is one", []string{"a*.b"}, preferences.Preference{}, "ax.b", false},
		{"configured as none", []string{}, preferences.Preference{}, "resource.created", false},
		{"configured as every one", []string{"*"}, preferences.Preference{}, "signal.viewed", true},

		{"no patterns", nil, custom(), "resource.created", false},
		{"one matches", nil, custom("signal.*"), "signal.created", true},
		{"a later one matches", nil, custom("x.*", "[st]ignal.?????ed"), "signal.created", true},
		{"none matches", nil, custom("x.*", "y.*"), "signal.created", false},
		{"a pattern is no prefix", nil, custom("signal"), "signal.created", false},
		{"too long matches nothing", nil, custom(strings.Repeat("*", 201)), "signal.created", false},
		{"not UTF-8 matches nothing", nil, custom("*\xff"), "signal.created\xff", false},
		{"NUL matches nothing", nil, custom("*\x00*"), "a\x00", false},
		{"what cannot be stands in no other's way", nil, custom("\xff", "signal.*"), "signal.created", true},

		{"muted is another question", nil, preferences.Preference{Mode: "all", Muted: true}, "signal.created", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := preferences.NewFilter(test.mutations)
			if got := f.Wants(test.p, test.action); got != test.want {
				t.Errorf("Filter.Wants: got %v, want %v", got, test.want)
			}
			b := f.Batch()
			for _, nth := range []string{"first", "second"} {
				if got := b.Wants(test.p, test.action); got != test.want {
					t.Errorf("Batch.Wants, %s time: got %v, want %v", nth, got, test.want)
				}
			}
		})
	}
}

func TestNewFilterKeepsItsOwnList(t *testing.T) {
	t.Parallel()
	mutations := []string{"signal.*"}
	f := preferences.NewFilter(mutations)
	if got, want := mutations[0], "signal.*"; got != want {
		t.Errorf("the caller's list: got %q, want %q", got, want)
	}
	mutations[0] = "other.*"
	if got := f.Wants(preferences.Preference{}, "signal.created"); !got {
		t.Errorf("after the caller changed the list: got %v, want true", got)
	}
}

func TestBatchKeepsActionsApart(t *testing.T) {
	t.Parallel()
	b := preferences.NewFilter(nil).Batch()
	p := preferences.Preference{Mode: preferences.ModeCustom, CustomActions: []string{"signal.*"}}
	for range 2 {
		for action, want := range map[string]bool{"": false, "signal.created": true, "order.created": false} {
			if got := b.Wants(p, action); got != want {
				t.Errorf("action %q: got %v, want %v", action, got, want)
			}
		}
	}
}

func TestFilterIsSharedByGoroutines(t *testing.T) {
	t.Parallel()
	f := preferences.NewFilter(nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			b := f.Batch()
			for i := range 1000 {
				action := fmt.Sprintf("signal.v%d", i)
				p := preferences.Preference{
					Mode:          preferences.ModeCustom,
					CustomActions: []string{"order.*", action[:len(action)-1] + "?"},
				}
				if !b.Wants(p, action) || !f.Wants(p, action) {
					t.Errorf("patterns %q, action %q: got false, want true", p.CustomActions, action)
				}
			}
		})
	}
	all.Wait()
}
