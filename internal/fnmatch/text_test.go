package fnmatch

import (
	"strings"
	"testing"
)

// TestLongestText matches at the ends of both halves of a set of positions.
func TestLongestText(t *testing.T) {
	t.Parallel()
	for length := 60; length <= MaxText; length++ {
		text := NewText(strings.Repeat("a", length-1) + "b")
		for pattern, want := range map[string]bool{
			"*b":                                    true,
			"*ab*":                                  true,
			"b*":                                    false,
			"*ba":                                   false,
			strings.Repeat("?", length):             true,
			strings.Repeat("?", length+1):           false,
			strings.Repeat("a", length-1) + "[!a]*": true,
			"*" + strings.Repeat("a", length) + "*": false,
		} {
			if got := text.Match(pattern); got != want {
				t.Errorf("length %d, pattern %q: got %t, want %t", length, pattern, got, want)
			}
		}
	}
}

func TestTextsThatAreNotASCIIOrTooLong(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"é", "a\x80", strings.Repeat("a", MaxText+1)} {
		if got := NewText(text); got != nil {
			t.Errorf("NewText(%q): got a Text, want nil", text)
		}
	}
}
