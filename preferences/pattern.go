package preferences

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gobwas/glob"

	"github.com/fanfarehq/fanfare/internal/fnmatch"
)

// MaxPatternBytes is the maximum length of a pattern.
const MaxPatternBytes = 200

// Pattern matches actions exactly as fnmatch.fnmatchcase of Python 3.11 does: * matches any
// characters, ? any single character, [abc] and [a-z] one of those characters, and [!abc] any other
// character. Every other character, backslash and braces included, matches itself. Only a class
// escapes a character, as in [*].
//
// The zero value matches the empty action alone. Pattern is safe for concurrent use.
type Pattern struct {
	text  string
	glob  *glob.Pattern // if not nil, matches instead of plain
	plain fnmatch.Pattern
}

// Compile compiles a pattern. The error is a *PatternError if the pattern is longer than
// MaxPatternBytes, is not valid UTF-8 or contains NUL. Every other text is a pattern, the empty
// text included.
func Compile(pattern string) (Pattern, error) {
	if rule := violated(pattern); rule != "" {
		return Pattern{}, &PatternError{pattern, rule}
	}
	p := fnmatch.Parse(pattern)
	if g := globOf(p); g != nil {
		return Pattern{text: pattern, glob: g}, nil
	}
	return Pattern{text: pattern, plain: p}, nil
}

// violated returns the rule that makes a text no pattern, or "".
func violated(pattern string) string {
	switch {
	case len(pattern) > MaxPatternBytes:
		return fmt.Sprintf("is longer than %d bytes", MaxPatternBytes)
	case !utf8.ValidString(pattern):
		return "is not valid UTF-8"
	case strings.IndexByte(pattern, 0) >= 0:
		return "contains a NUL character"
	}
	return ""
}

// Match reports whether the pattern matches the entire action, by code points. It takes at most
// O(len(pattern)·len(action)) steps. A byte of the action that is not valid UTF-8 is one character,
// which differs from every literal character of a pattern.
func (p Pattern) Match(action string) bool {
	if p.glob != nil {
		return p.glob.Match(action)
	}
	return p.plain.Match(action)
}

// String returns the text of the pattern.
func (p Pattern) String() string { return p.text }

// PatternError describes an invalid pattern.
type PatternError struct {
	Pattern string
	Rule    string // the violated rule, as a predicate of the pattern: "is longer than 200 bytes"
}

// Error implements error.
func (e *PatternError) Error() string {
	return fmt.Sprintf("pattern %q %s", shorten(e.Pattern), e.Rule)
}

// shorten returns at most about 40 bytes of s, enough to recognize it.
func shorten(s string) string {
	const limit = 40
	if len(s) <= limit {
		return s
	}
	end := limit
	for !utf8.RuneStart(s[end]) && end > limit-utf8.UTFMax {
		end--
	}
	return s[:end] + "…"
}
