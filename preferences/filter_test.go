package preferences_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fanfarehq/fanfare/preferences"
)

func TestIncludes(t *testing.T) {
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
		{
			"all, with unused patterns", nil,
			preferences.Preference{Mode: "all", CustomActions: []string{"x"}},
			"signal.viewed", true,
		},

		{"default, created", nil, preferences.Preference{}, "resource.created", true},
		{"default, viewed", nil, preferences.Preference{}, "resource.viewed", false},
		{
			"default ignores patterns", nil,
			preferences.Preference{CustomActions: []string{"*"}},
			"resource.viewed", false,
		},
		{"updated", nil, mode("mutations"), "resource.updated", true},
		{"deleted", nil, mode("mutations"), "resource.deleted", true},
		{"prefix", nil, mode("mutations"), "resource.created_by_import", true},
		{"prefix with a star", nil, mode("mutations"), "transfer.accepted", true},
		{"another prefix with a star", nil, mode("mutations"), "promotion.approved", true},
		{"prefix includes its dot", nil, mode("mutations"), "transferred.x", false},
		{"prefix inside the action", nil, mode("mutations"), "my.resource.created", false},
		{"unknown mode, mutation", nil, mode("sometimes"), "resource.created", true},
		{"unknown mode, other", nil, mode("sometimes"), "signal.created", false},
		{"mode in upper case", nil, mode("ALL"), "signal.created", false},

		{"configured prefix", []string{"signal.*"}, preferences.Preference{}, "signal.created", true},
		{"configured prefixes only", []string{"signal.*"}, preferences.Preference{}, "resource.created", false},
		{"star inside a prefix is literal", []string{"a*.b"}, preferences.Preference{}, "ax.b", false},
		{"no prefixes", []string{}, preferences.Preference{}, "resource.created", false},
		{"empty prefix", []string{"*"}, preferences.Preference{}, "signal.viewed", true},

		{"no patterns", nil, custom(), "resource.created", false},
		{"matching pattern", nil, custom("signal.*"), "signal.created", true},
		{"second pattern matches", nil, custom("x.*", "[st]ignal.?????ed"), "signal.created", true},
		{"no pattern matches", nil, custom("x.*", "y.*"), "signal.created", false},
		{"pattern is not a prefix", nil, custom("signal"), "signal.created", false},
		{"too long pattern", nil, custom(strings.Repeat("*", 201)), "signal.created", false},
		{"pattern that is not UTF-8", nil, custom("*\xff"), "signal.created\xff", false},
		{"pattern with NUL", nil, custom("*\x00*"), "a\x00", false},
		{"invalid pattern before a valid one", nil, custom("\xff", "signal.*"), "signal.created", true},

		{"muted is ignored", nil, preferences.Preference{Mode: "all", Muted: true}, "signal.created", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := preferences.NewFilter(test.mutations)
			if got := f.Includes(test.p, test.action); got != test.want {
				t.Errorf("Filter.Includes: got %t, want %t", got, test.want)
			}
			b := f.Batch()
			for call := range 2 {
				if got := b.Includes(test.p, test.action); got != test.want {
					t.Errorf("Batch.Includes, call %d: got %t, want %t", call+1, got, test.want)
				}
			}
		})
	}
}

func TestNewFilterCopiesItsArgument(t *testing.T) {
	t.Parallel()
	mutations := []string{"signal.*"}
	f := preferences.NewFilter(mutations)
	if got, want := mutations[0], "signal.*"; got != want {
		t.Errorf("argument: got %q, want %q", got, want)
	}
	mutations[0] = "other.*"
	if got := f.Includes(preferences.Preference{}, "signal.created"); !got {
		t.Errorf("after the caller changed the list: got %t, want true", got)
	}
}

func TestBatchWithSeveralActions(t *testing.T) {
	t.Parallel()
	b := preferences.NewFilter(nil).Batch()
	p := preferences.Preference{Mode: preferences.ModeCustom, CustomActions: []string{"signal.*"}}
	for range 2 {
		for action, want := range map[string]bool{"": false, "signal.created": true, "order.created": false} {
			if got := b.Includes(p, action); got != want {
				t.Errorf("action %q: got %t, want %t", action, got, want)
			}
		}
	}
}

func TestFilterConcurrently(t *testing.T) {
	t.Parallel()
	f := preferences.NewFilter(nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			b := f.Batch()
			for i := range 1000 {
				action := fmt.Sprintf("signal.v%d", i)
				p := preferences.Preference{
					Mode:          preferences.ModeCustom,
					CustomActions: []string{"order.*", action[:len(action)-1] + "?"},
				}
				if !b.Includes(p, action) || !f.Includes(p, action) {
					t.Errorf("patterns %q, action %q: got false, want true", p.CustomActions, action)
				}
			}
		})
	}
	wg.Wait()
}

// TestBatchWithManyPatterns matches more patterns than a Batch compiles and keeps.
func TestBatchWithManyPatterns(t *testing.T) {
	t.Parallel()
	f := preferences.NewFilter(nil)
	batch := f.Batch()
	for _, action := range []string{"signal.created", "signal.créé", strings.Repeat("a", 300)} {
		for i := range 5000 {
			pattern := fmt.Sprintf("*%c?.%d[!%d]*", 'a'+i%26, i, i%10)
			if i%100 == 0 {
				pattern = fmt.Sprintf("%.*s*[!%d]*", i/100%len(action), action, i)
			}
			p := preferences.Preference{Mode: preferences.ModeCustom, CustomActions: []string{pattern, pattern + "\xff"}}
			if got, want := batch.Includes(p, action), f.Includes(p, action); got != want {
				t.Fatalf("pattern %q, action %q: got %t, want %t", pattern, action, got, want)
			}
		}
	}
}
