package preferences

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/internal/fnmatch"
)

// TestPatternsDrawnAtRandom holds what glob matches to the plain matcher.
func TestPatternsDrawnAtRandom(t *testing.T) {
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
				t.Errorf("pattern %q, action %q: got %v, want %v", pattern, action, got, want)
			}
		}
	})
}

// Whatever glob would have to backtrack for stays with the plain matcher.
func TestOnlySimpleShapesGoToGlob(t *testing.T) {
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
			t.Errorf("pattern %q: glob used: got %v, want %v", pattern, got, want)
		}
	}
}
