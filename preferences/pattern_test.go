package preferences_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/preferences"
)

// TestPatternMatchesAsPython compares with the results of Python 3.11. Each case is a list of the
// pattern, the action and the result.
func TestPatternMatchesAsPython(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/fnmatch_cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	count, equal := 0, 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var pattern, action string
		var want bool
		if err := json.Unmarshal(lines.Bytes(), &[]any{&pattern, &action, &want}); err != nil {
			t.Fatalf("line %d: %v", count+1, err)
		}
		count++
		if got := compile(t, pattern).Match(action); got != want {
			t.Errorf("line %d: pattern %q, action %q: got %t, want %t", count, pattern, action, got, want)
			continue
		}
		equal++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d cases equal", equal, count)
	if want := 2000; count != want || equal != want {
		t.Errorf("got %d cases and %d equal, want %d of both", count, equal, want)
	}
}

func TestPatternEdgeCases(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		pattern string
		matches []string
		rejects []string
	}{
		{"empty", "", []string{""}, []string{"a", "\n"}},
		{
			"literal", "signal.created",
			[]string{"signal.created"},
			[]string{"signal.create", "signal.created_", "Signal.created"},
		},
		{"star", "*", []string{"", "a.b", "\n"}, nil},
		{"two adjacent stars", "a**b", []string{"ab", "axb", "a*b"}, []string{"a", "b"}},
		{"many stars", "*a*b*", []string{"ab", "xaxbx"}, []string{"ba", "a"}},
		{"prefix", "resource.*", []string{"resource.", "resource.x.y"}, []string{"resource", "xresource.y"}},
		{"suffix", "*.created", []string{".created", "a.created"}, []string{"created", "a.created_"}},
		{"prefix and suffix do not overlap", "aba*aba", []string{"abaaba", "abaxaba"}, []string{"aba", "ababa"}},
		{"contains", "*b*", []string{"b", "abc"}, []string{"", "ac"}},
		{"question mark", "a?c", []string{"abc", "a?c", "a\nc", "a漢c"}, []string{"ac", "abbc"}},
		{"class", "[abc]", []string{"a", "c"}, []string{"", "d", "ab"}},
		{"range", "[a-c]", []string{"a", "b", "c"}, []string{"-", "d"}},
		{"negated class", "[!a]", []string{"b", "!", "\n", "漢"}, []string{"a", "", "bb"}},
		{"bracket first in a class", "[]a]", []string{"]", "a"}, []string{"[", "]a"}},
		{"bracket first in a negated class", "[!]a]", []string{"b", "!"}, []string{"]", "a"}},
		{"class without an end", "[a", []string{"[a"}, []string{"a", "["}},
		{"class whose only bracket is a member", "[]", []string{"[]"}, []string{"", "]"}},
		{"negated class without an end", "[!]", []string{"[!]"}, []string{"a", ""}},
		{"reversed range", "[b-a]", nil, []string{"", "a", "b", "-", "[b-a]"}},
		{"negated reversed range", "[!b-a]", []string{"a", "b", "-", "x", "\n"}, []string{"", "aa"}},
		{"reversed range before !", "[b-a!c]", []string{"a", "b", "!"}, []string{"c"}},
		{"reversed range before ! and -", "[b-a!-c]", []string{"a", "b", "!"}, []string{"c", "-"}},
		{"reversed range before -", "[b-a-c]", []string{"-", "c"}, []string{"a", "b"}},
		{"hyphen last", "[a-]", []string{"a", "-"}, []string{"b", "a-"}},
		{"hyphen first", "[-a]", []string{"a", "-"}, []string{"b", "!"}},
		{"hyphen first, negated", "[!-a]", []string{"b", "!"}, []string{"a", "-"}},
		{"range from a hyphen", "[--0]", []string{"-", ".", "/", "0"}, []string{",", "1"}},
		{"caret does not negate", "[^a]", []string{"^", "a"}, []string{"b", "!"}},
		{"star in a class", "a[*]", []string{"a*"}, []string{"a", "ab", "a[*]"}},
		{"question mark in a class", "[?]", []string{"?"}, []string{"a"}},
		{"POSIX class is not special", "[[:alpha:]]", []string{"a]", ":]", "[]"}, []string{"b]", "a"}},
		{"set operators", "[a&&b||c~~d--e]", []string{"a", "&", "|", "~", "e"}, []string{"", "f"}},
		{"braces", "{a,b}", []string{"{a,b}"}, []string{"a", "b"}},
		{"open brace", "{a*", []string{"{a", "{ab"}, []string{"a"}},
		{"backslash", `\*`, []string{`\`, `\x`}, []string{"*", ""}},
		{"backslash at the end", `a\`, []string{`a\`}, []string{"a"}},
		{"backslash in a class", `[\]`, []string{`\`}, []string{"]", `[\]`}},
		{"range to a backslash", `[A-\]`, []string{"A", "[", `\`}, []string{"]", "-"}},
		{"newline", "a*b", []string{"a\nb"}, []string{"a\nb\n"}},
		{"newline at the end", "a", []string{"a"}, []string{"a\n"}},
		{"line separator", "a\u2028*", []string{"a\u2028", "a\u2028\u2029"}, []string{"a", "a\n"}},
		{"code points, not bytes", "??", []string{"éé", "漢😀", "e\u0301"}, []string{"é", "😀"}},
		{"outside the basic plane", "[😀-😂]*", []string{"😀", "😁x"}, []string{"😃"}},
		{"no normalization", "é", []string{"é"}, []string{"e\u0301", "É"}},
		{"not UTF-8, by character", "a??b", []string{"a\xe6\xbcb", "a\xffxb"}, []string{"a\xffb"}},
		{"not UTF-8, by literal", "\ufffd", []string{"\ufffd"}, []string{"\xff"}},
		{"not UTF-8, by class", "[!\ufffd]", []string{"\xff"}, []string{"\ufffd"}},
		{"NUL in the action", "a?b", []string{"a\x00b"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := compile(t, test.pattern)
			for _, action := range test.matches {
				if !p.Match(action) {
					t.Errorf("pattern %q, action %q: got false, want true", test.pattern, action)
				}
			}
			for _, action := range test.rejects {
				if p.Match(action) {
					t.Errorf("pattern %q, action %q: got true, want false", test.pattern, action)
				}
			}
			if got := p.String(); got != test.pattern {
				t.Errorf("String: got %q, want %q", got, test.pattern)
			}
		})
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		pattern string
		rule    string
		text    string
	}{
		{
			"too long", strings.Repeat("a", 201), "is longer than 200 bytes",
			`pattern "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" is longer than 200 bytes`,
		},
		{
			"too long in bytes", strings.Repeat("漢", 67), "is longer than 200 bytes",
			`pattern "漢漢漢漢漢漢漢漢漢漢漢漢漢…" is longer than 200 bytes`,
		},
		{"not UTF-8", "a\xff*", "is not valid UTF-8", `pattern "a\xff*" is not valid UTF-8`},
		{"surrogate", "\xed\xa0\x80", "is not valid UTF-8", `pattern "\xed\xa0\x80" is not valid UTF-8`},
		{"NUL", "a\x00", "contains a NUL character", `pattern "a\x00" contains a NUL character`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := preferences.Compile(test.pattern)
			var patternErr *preferences.PatternError
			if !errors.As(err, &patternErr) {
				t.Fatalf("got error %v, want a *PatternError", err)
			}
			if patternErr.Pattern != test.pattern || patternErr.Rule != test.rule {
				t.Errorf("got %+v, want pattern %q and rule %q", *patternErr, test.pattern, test.rule)
			}
			if got := patternErr.Error(); got != test.text {
				t.Errorf("got %s, want %s", got, test.text)
			}
		})
	}
}

func TestCompileOfTheMaximumLength(t *testing.T) {
	t.Parallel()
	action := strings.Repeat("a", preferences.MaxPatternBytes)
	if got := compile(t, action).Match(action); !got {
		t.Errorf("got %v, want true", got)
	}
}

func TestZeroPattern(t *testing.T) {
	t.Parallel()
	var p preferences.Pattern
	if !p.Match("") || p.Match("a") || p.String() != "" {
		t.Errorf("got %v, %v and %q, want true, false and an empty text", p.Match(""), p.Match("a"), p.String())
	}
}

func compile(tb testing.TB, pattern string) preferences.Pattern {
	tb.Helper()
	p, err := preferences.Compile(pattern)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}
