package preferences_test

import (
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		patterns []string
		want     string
		matches  bool
	}{
		{nil, "", false},
		{[]string{strings.Repeat("a", 201)}, "", false},
		{[]string{"signal.*", "comment.*", "*"}, "comment.*", true},
		{[]string{"signal.*", "comment.edited", "comment.edite?"}, "comment.edited", false},
		{[]string{"*.created*", "comment.reopened", "comments.*"}, "comments.*", false},
	} {
		got, matches := preferences.Nearest(tt.patterns, "comment.added")
		if got != tt.want || matches != tt.matches {
			t.Errorf("%q: got %q, %t, want %q, %t", tt.patterns, got, matches, tt.want, tt.matches)
		}
	}
}

func TestNearestAction(t *testing.T) {
	t.Parallel()
	actions := []string{"file.moved", "comment.added", "comment.edited"}
	for pattern, want := range map[string]string{
		"comment.edit": "comment.edited", "*.added": "comment.added", "coment.*": "comment.added", "fil": "file.moved",
		strings.Repeat("a", 201): "",
	} {
		if got := preferences.NearestAction(pattern, actions); got != want {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
	if got := preferences.NearestAction("*", nil); got != "" {
		t.Errorf("without actions: got %q", got)
	}
}

// TestFilterExplain compares how a filter decides with what it decides.
func TestFilterExplain(t *testing.T) {
	t.Parallel()
	filter := preferences.NewFilter(nil)
	filter.SetNotify(map[string]activity.Notify{
		"a.read": activity.NotifyDefault, "a.created": activity.NotifyOptional, "a.lost": activity.NotifyMandatory,
	})
	for _, p := range []preferences.Preference{
		{},
		{Mode: preferences.ModeAll},
		{Mode: preferences.ModeCustom},
		{Mode: preferences.ModeCustom, CustomActions: []string{"b.*", "a.[rl]*"}},
		{Mode: "digest", CustomActions: []string{"*"}},
	} {
		for _, action := range []string{"a.read", "a.created", "a.lost", "a.updated", "a.seen"} {
			for _, brief := range []bool{false, true} {
				got := filter.Explain(p, action, brief)
				if got.Includes != filter.Includes(p, action) || brief && got.Pattern != "" ||
					got.Notify != "" && got.Pattern != "" {
					t.Errorf("%+v, %s, brief %t: got %+v", p, action, brief, got)
				}
			}
		}
	}
	want := preferences.Selection{Includes: true, Pattern: "*.updated*"}
	if got := filter.Explain(preferences.Preference{}, "a.updated", false); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
