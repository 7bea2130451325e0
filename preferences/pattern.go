package preferences

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gobwas/glob"

	"github.com/fanfarehq/fanfare/internal/fnmatch"
)

// MaxPatternBytes is the longest pattern that Compile accepts.
const MaxPatternBytes = 200

// A Pattern matches actions exactly as Python 3.11's fnmatch.fnmatchcase does:
// * stands for any characters, ? for any one, [abc] and [a-z] for one of those
// and [!abc] for any other; all else is itself, backslash and braces included,
// and nothing can be escaped but by a class, as in [*].
//
// It may be used by many goroutines at once. The zero Pattern is the empty one,
// which matches only the empty action.
type Pattern struct {
	text  string
	glob  *glob.Pattern   // matches, unless nil
	plain fnmatch.Pattern // matches otherwise
}

// Compile reads a pattern. The error, if any, is a *PatternError: the pattern is
// longer than MaxPatternBytes, is not UTF-8 or contains NUL. Anything else is a
// pattern, the empty one too.
func Compile(pattern string) (Pattern, error) {
	switch {
	case len(pattern) > MaxPatternBytes:
		return Pattern{}, &PatternError{pattern, fmt.Sprintf("is longer than %d bytes", MaxPatternBytes)}
	case !utf8.ValidString(pattern):
		return Pattern{}, &PatternError{pattern, "is not valid UTF-8"}
	case strings.ContainsRune(pattern, 0):
		return Pattern{}, &PatternError{pattern, "contains a NUL character"}
	}
	p := fnmatch.Parse(pattern)
	if g := inGlob(p); g != nil {
		return Pattern{text: pattern, glob: g}, nil
	}
	return Pattern{text: pattern, plain: p}, nil
}

// Match reports whether the pattern matches the whole action, comparing code
// points, in at most O(len(pattern)·len(action)) steps. A byte of the action
// that is not UTF-8 counts as one character, which no literal equals.
func (p Pattern) Match(action string) bool {
	if p.glob != nil {
		return p.glob.Match(action)
	}
	return p.plain.Match(action)
}

// String returns the pattern as it was given to Compile.
func (p Pattern) String() string { return p.text }

// A PatternError says which pattern cannot be, and why.
type PatternError struct {
	Pattern string
	Rule    string // what it breaks, to be read after the pattern: "is longer than 200 bytes"
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("pattern %q %s", shortened(e.Pattern), e.Rule)
}

// shortened returns about as much of s as a reader needs to recognise it.
func shortened(s string) string {
	const enough = 40
	if len(s) <= enough {
		return s
	}
	end := enough
	for !utf8.RuneStart(s[end]) && end > enough-utf8.UTFMax {
		end--
	}
	return s[:end] + "…"
}
