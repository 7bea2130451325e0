package fnmatch

import (
	"testing"
	"unicode/utf8"
)

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, text string
		want          int
	}{
		{"", "", 0},
		{"", "ab", 2},
		{"*", "", 0},
		{"*", "comment.added", 0},
		{"comment.added", "comment.added", 0},
		{"comment.edited", "comment.added", 3},
		{"comment.*", "comments.added", 1},
		{"comment.*", "comment", 1},
		{"*.created", "comment.added", 5},
		{"signal.[uv]*", "signal.checked", 1},
		{"signal.[uv]", "signal.", 1},
		{"?", "äö", 1},
		{"a*b*c", "a", 2},
	} {
		if got := Parse(tt.pattern).Distance(tt.text); got != tt.want {
			t.Errorf("%q to %q: got %d, want %d", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// FuzzDistance checks that only a text that the pattern accepts has no distance to it.
func FuzzDistance(f *testing.F) {
	f.Add("a*[!b]?c", "abbc")
	f.Add("*.created*", "signal.created")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 200 || len(text) > 200 || !utf8.ValidString(pattern) {
			return
		}
		p := Parse(pattern)
		if got, want := p.Distance(text) == 0, p.Match(text); got != want {
			t.Errorf("%q and %q: got distance 0 %t, want %t", pattern, text, got, want)
		}
	})
}
