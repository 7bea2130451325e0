package preferences

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/internal/fnmatch"
)

// TestMatchEqualsFnmatch compares patterns that glob matches with fnmatch.
func TestMatchEqualsFnmatch(t *testing.T) {
	t.Parallel()
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abc.é\u2028\n{},\\[]*?")), 0, 8, -1)
	actions := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("abcz.é漢\u2028\n{},\\[]!-^&")), 0, 6, -1), 1, 20)
	rapid.Check(t, func(t *rapid.T) {
		pattern := text.Draw(t, "pattern")
		p, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range actions.Draw(t, "actions") {
			if got, want := p.Match(action), fnmatch.Parse(pattern).Match(action); got != want {
				t.Errorf("pattern %q, action %q: got %t, want %t", pattern, action, got, want)
			}
		}
	})
}

// TestGlobMatchesSimplePatternsOnly checks that fnmatch matches the patterns for which glob
// backtracks.
func TestGlobMatchesSimplePatternsOnly(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		"":           true,
		"a.b":        true,
		"*":          true,
		"**":         true,
		"a.*":        true,
		"*.b":        true,
		"a*b":        true,
		"*a*":        true,
		`**{a,\}**`:  true,
		"[a*":        true,
		"a?b":        false,
		"*?":         false,
		"*a*b":       false,
		"a*b*":       false,
		"a*b*c":      false,
		"*a*b*":      false,
		"[a]":        false,
		"resource.?": false,
	} {
		p, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.glob != nil; got != want {
			t.Errorf("pattern %q: glob used: got %t, want %t", pattern, got, want)
		}
	}
}
