package preferences_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fanfarehq/fanfare/activity"
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

		{"default, created", nil, preferences.Preference{}, "project.created", true},
		{"default, viewed", nil, preferences.Preference{}, "resource.viewed", false},
		{
			"default ignores patterns", nil,
			preferences.Preference{CustomActions: []string{"*"}},
			"resource.viewed", false,
		},
		{"updated", nil, mode("mutations"), "resource.updated", true},
		{"deleted", nil, mode("mutations"), "storage.file.deleted", true},
		{"with a suffix", nil, mode("mutations"), "resource.created_by_import", true},
		{"a whole family", nil, mode("mutations"), "transfer.accepted", true},
		{"another family", nil, mode("mutations"), "promotion.approved", true},
		{"a family ends at its dot", nil, mode("mutations"), "transferred.x", false},
		{"a resource named created", nil, mode("mutations"), "created.viewed", false},
		{"unknown mode, mutation", nil, mode("sometimes"), "resource.created", true},
		{"unknown mode, other", nil, mode("sometimes"), "signal.checked", false},
		{"mode in upper case", nil, mode("ALL"), "signal.checked", false},

		{"configured pattern", []string{"signal.*"}, preferences.Preference{}, "signal.viewed", true},
		{"configured patterns only", []string{"signal.*"}, preferences.Preference{}, "resource.created", false},
		{"configured class", []string{"signal.[!v]*"}, preferences.Preference{}, "signal.viewed", false},
		{"a pattern is not a prefix", []string{"signal"}, preferences.Preference{}, "signal.viewed", false},
		{"an invalid pattern", []string{"\xff", "signal.*"}, preferences.Preference{}, "signal.viewed", true},
		{"no configured patterns", []string{}, preferences.Preference{}, "resource.created", false},
		{"all actions", []string{"*"}, preferences.Preference{}, "signal.viewed", true},

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

// TestMatchesAny matches patterns whatever the taxonomy says of the action.
func TestMatchesAny(t *testing.T) {
	t.Parallel()
	f := preferences.NewFilter(nil)
	f.SetNotify(map[string]activity.Notify{"alarm.raised": activity.NotifyMandatory})
	b := f.Batch()
	for _, test := range []struct {
		patterns []string
		action   string
		want     bool
	}{
		{nil, "alarm.raised", false},
		{[]string{}, "", false},
		{[]string{"signal.*"}, "alarm.raised", false},
		{[]string{"\xff", "signal.*", "alarm.?aised"}, "alarm.raised", true},
		{[]string{"alarm.raised"}, "alarm.raise", false},
	} {
		if got := f.MatchesAny(test.patterns, test.action); got != test.want {
			t.Errorf("Filter.MatchesAny(%q, %q): got %t, want %t", test.patterns, test.action, got, test.want)
		}
		if got := b.MatchesAny(test.patterns, test.action); got != test.want {
			t.Errorf("Batch.MatchesAny(%q, %q): got %t, want %t", test.patterns, test.action, got, test.want)
		}
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

// TestNotify decides for actions of which the taxonomy says something.
func TestNotify(t *testing.T) {
	t.Parallel()
	f := preferences.NewFilter(nil)
	f.SetNotify(map[string]activity.Notify{
		"signal.checked": activity.NotifyDefault,
		"signal.created": activity.NotifyOptional,
		"signal.stopped": activity.NotifyMandatory,
	})
	batch := f.Batch()
	for _, test := range []struct {
		action                 string
		mutations, all, custom bool
	}{
		{"signal.checked", true, true, false},
		{"signal.created", false, true, false},
		{"signal.stopped", true, true, true},
		{"signal.updated", true, true, false},
		{"signal.viewed", false, true, true},
	} {
		for mode, want := range map[preferences.Mode]bool{
			"": test.mutations, "sometimes": test.mutations, preferences.ModeMutations: test.mutations,
			preferences.ModeAll: test.all, preferences.ModeCustom: test.custom,
		} {
			p := preferences.Preference{Mode: mode, CustomActions: []string{"*.viewed"}}
			if got := f.Includes(p, test.action); got != want {
				t.Errorf("Filter.Includes(%q, %s): got %t, want %t", mode, test.action, got, want)
			}
			if got := batch.Includes(p, test.action); got != want {
				t.Errorf("Batch.Includes(%q, %s): got %t, want %t", mode, test.action, got, want)
			}
		}
	}
	f.SetNotify(nil)
	if f.Includes(preferences.Preference{}, "signal.checked") {
		t.Error("after the taxonomy was replaced: got true, want false")
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
			patterns := []string{pattern, pattern + "\xff"}
			p := preferences.Preference{Mode: preferences.ModeCustom, CustomActions: patterns}
			if got, want := batch.Includes(p, action), f.Includes(p, action); got != want {
				t.Fatalf("pattern %q, action %q: got %t, want %t", pattern, action, got, want)
			}
		}
	}
}
