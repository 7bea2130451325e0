package fnmatch

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// FuzzPattern holds Match and Regexp to the expression that Python makes of the pattern.
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

// check fails unless the pattern answers as the oracle does, and its expression as the pattern
// does.
func check(t rapid.TB, pattern, text string) {
	t.Helper()
	if !utf8.ValidString(pattern) || !utf8.ValidString(text) {
		return // Parse refuses the pattern; a regexp reads U+FFFD in the text
	}
	p := Parse(pattern)
	got := p.Match(text)
	if want := oracle(t, pattern).MatchString(text); got != want {
		t.Errorf("pattern %q, text %q: got %v, want %v as the oracle", pattern, text, got, want)
	}
	if compiled := NewText(text); compiled != nil && compiled.Match(pattern) != got {
		t.Errorf("pattern %q, text %q: got %v as a Text, want %v", pattern, text, !got, got)
	}
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_."
	if strings.Trim(text, alphabet) != "" {
		return
	}
	if expression := p.Regexp(alphabet); regexp.MustCompile(expression).MatchString(text) != got {
		t.Errorf("pattern %q, text %q: got %v from %s, want %v", pattern, text, !got, expression, got)
	}
}
