package activity_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/preferences"
)

func TestFilterValidateNamesTheField(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		filter activity.Filter
		want   []string
	}{
		{"empty", activity.Filter{}, nil},
		{
			"all in order",
			activity.Filter{
				Action:       "signal.*",
				ResourceType: "signal",
				RequestID:    "r",
				Status:       "failure",
				Severity:     "critical",
				Category:     "c",
				Since:        now,
				Until:        now.Add(1),
				Q:            "100% _\\",
			},
			nil,
		},
		{
			"NUL",
			activity.Filter{Action: "a\x00", ResourceType: "\x00", RequestID: "\x00", Category: "\x00", Q: "\x00"},
			[]string{"action", "resource_type", "request_id", "category", "q"},
		},
		{"no UTF-8", activity.Filter{Action: "\xff", Q: "\xff"}, []string{"action", "q"}},
		{
			"too long",
			activity.Filter{
				Action:       strings.Repeat("*", 201),
				ResourceType: strings.Repeat("é", 101),
				RequestID:    strings.Repeat("é", 201),
				Category:     strings.Repeat("é", 101),
				Q:            strings.Repeat("é", 201),
			},
			[]string{"action", "resource_type", "request_id", "category", "q"},
		},
		{
			"just not too long",
			activity.Filter{
				Action:       strings.Repeat("*", 200),
				ResourceType: strings.Repeat("é", 100),
				RequestID:    strings.Repeat("é", 200),
				Category:     strings.Repeat("é", 100),
				Q:            strings.Repeat("é", 200),
			},
			nil,
		},
		{"unknown values", activity.Filter{Status: "done", Severity: "fatal"}, []string{"status", "severity"}},
		{
			"years",
			activity.Filter{Since: now.AddDate(-4000, 0, 0), Until: now.AddDate(9000, 0, 0)},
			[]string{"since", "until"},
		},
		{"an empty period", activity.Filter{Since: now, Until: now}, []string{"until"}},
		{"until before since", activity.Filter{Since: now, Until: now.Add(-1)}, []string{"until"}},
	} {
		err := tt.filter.Validate()
		var got []string
		if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
			for _, f := range invalidErr.Fields {
				got = append(got, f.Name)
			}
			if !strings.HasPrefix(err.Error(), "filter refused: ") {
				t.Errorf("%s: got %q, want the subject", tt.name, err)
			}
		} else if err != nil {
			t.Errorf("%s: got %T, want *invalid.Error", tt.name, err)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q refused, want %q", tt.name, got, tt.want)
		}
	}
}

// TestFilterActionIsAnFnmatchPattern compares Filter.Matcher with preferences.Pattern.
func TestFilterActionIsAnFnmatchPattern(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		glob := rapid.StringOfN(rapid.RuneFrom([]rune("abcz09_.*?[]!-^\\{},é")), 1, 12, -1).Draw(t, "glob")
		pattern, err := preferences.Compile(glob)
		if err != nil {
			t.Fatal(err)
		}
		matches := activity.Filter{Action: glob}.Matcher()
		action := rapid.StringOfN(rapid.RuneFrom([]rune("abcz09_.")), 1, 6, -1)
		for _, action := range rapid.SliceOfN(action, 1, 20).Draw(t, "actions") {
			if got, want := matches(&activity.Activity{Action: action}), pattern.Match(action); got != want {
				t.Errorf("%q matches %q: got %v, want %v", glob, action, got, want)
			}
		}
	})
}
