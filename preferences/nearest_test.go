package preferences_test

import (
	"strings"
	"testing"

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
