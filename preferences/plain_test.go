package preferences

import (
	"errors"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// FuzzPattern holds Match to the plain matcher, and both to the expression that
// Python would make of the pattern.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""},
		{"resource.*", "resource.created"},
		{"*.created", "signal.created"},
		{"a*b*c", "abbbc"},
		{"[!]-a]?", "b\n"},
		{"[b-a!-c]", "x"},
		{`{a,b}\*`, `{a,b}\`},
		{"[a&&b||c~~d--e]", "&"},
		{"漢\u2028*\ufffd", "漢\u2028\xff"},
		{"*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, action string) {
		check(t, pattern, action)
	})
}

// The alphabets are small, so that a drawn action often nearly matches.
func TestPatternsDrawnAtRandom(t *testing.T) {
	t.Parallel()
	class := rapid.Map(rapid.StringOfN(rapid.RuneFrom([]rune(`]!-^[*\abcz漢&`)), 0, 8, -1), func(body string) string {
		return "[" + body + "]"
	})
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abc.é\u2028\n{},\\[]*?")), 0, 4, -1)
	patterns := rapid.SliceOfN(rapid.OneOf(class, text, rapid.SampledFrom([]string{"*", "?", "**"})), 0, 5)
	actions := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("abcz.é漢\u2028\n{},\\[]!-^&")), 0, 6, -1), 1, 20)
	rapid.Check(t, func(t *rapid.T) {
		pattern := ""
		for _, part := range patterns.Draw(t, "parts") {
			pattern += part
		}
		for _, action := range actions.Draw(t, "actions") {
			check(t, pattern, action)
		}
	})
}

// check fails unless everything that can match a pattern answers the same.
func check(t rapid.TB, pattern, action string) {
	t.Helper()
	p, err := Compile(pattern)
	if err != nil {
		var refused *PatternError
		if !errors.As(err, &refused) {
			t.Fatalf("pattern %q: got error %v, want a *PatternError", pattern, err)
		}
		return
	}
	got := p.Match(action)
	if want := parse(pattern).match(action); got != want {
		t.Errorf("pattern %q, action %q: got %v, want %v as the plain matcher", pattern, action, got, want)
	}
	if !utf8.ValidString(action) {
		return // regexp sees U+FFFD there
	}
	if want := oracle(t, pattern).MatchString(action); got != want {
		t.Errorf("pattern %q, action %q: got %v, want %v as the oracle", pattern, action, got, want)
	}
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
