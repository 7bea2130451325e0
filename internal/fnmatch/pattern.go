// Package fnmatch matches texts with the patterns of Python 3.11's fnmatch.fnmatchcase: * stands
// for any characters, ? for any one, [abc] and [a-z] for one of those and [!abc] for any other.
// Every other character is itself, the backslash and braces included. Only a class escapes, as in
// [*].
package fnmatch

import (
	"strings"
	"unicode/utf8"
)

// Pattern is a parsed pattern: one token for each construct of fnmatch.
type Pattern []Token

// Token is a star, or accepts exactly one character.
type Token struct {
	Rune  rune   // the literal, or Star, AnyOne or InClass
	class *class // of InClass only
}

// The values of Token.Rune that are not literals.
const (
	Star rune = -1 - iota // several in a row are one token
	AnyOne
	InClass
)

// Parse reads a pattern, which must be valid UTF-8. Every text is a pattern: a bracket that nothing
// closes is itself.
func Parse(pattern string) Pattern {
	var p Pattern
	for i := 0; i < len(pattern); {
		r, size := utf8.DecodeRuneInString(pattern[i:])
		token := Token{Rune: r}
		switch r {
		case '*':
			token.Rune = Star
		case '?':
			token.Rune = AnyOne
		case '[':
			if end := classEnd(pattern, i); end > 0 {
				c := newClass(pattern[i+1 : end])
				token = Token{Rune: InClass, class: &c}
				size = end + 1 - i
			}
		}
		if r != '*' || len(p) == 0 || p[len(p)-1].Rune != Star {
			p = append(p, token)
		}
		i += size
	}
	return p
}

// classEnd returns where the class that opens at open is closed, or -1. A ']' right after the
// opening, or after its '!', belongs to the class.
func classEnd(pattern string, open int) int {
	i := open + 1
	if i < len(pattern) && pattern[i] == '!' {
		i++
	}
	if i < len(pattern) && pattern[i] == ']' {
		i++
	}
	for ; i < len(pattern); i++ {
		if pattern[i] == ']' {
			return i
		}
	}
	return -1
}

// Match reports whether the pattern accepts all of s, in at most O(len(p)·len(s)) steps and without
// allocations. A byte of s that is not UTF-8 is one character, which no literal equals.
//
// On a mismatch only the last star takes one more character: an earlier star would gain nothing,
// since the later one accepts whatever the earlier leaves.
func (p Pattern) Match(s string) bool {
	next := 0    // the token to satisfy
	resume := -1 // the token after the last star, if there was one
	taken := 0   // where in s what that star took ends
	for i := 0; i < len(s); {
		if next < len(p) && p[next].Rune == Star {
			next++
			if next == len(p) {
				return true
			}
			resume, taken = next, i
		}
		r, size := decode(s[i:])
		if next < len(p) && p[next].accepts(r) {
			next++
			i += size
			continue
		}
		if resume < 0 {
			return false
		}
		_, size = decode(s[taken:])
		taken += size
		next, i = resume, taken
	}
	if next < len(p) && p[next].Rune == Star {
		next++
	}
	return next == len(p)
}

func (t Token) accepts(r rune) bool {
	return t.Rune == r || t.Rune == AnyOne || t.Rune == InClass && t.class.accepts(r)
}

// decode returns the first character of s, which is not empty. A byte that is not UTF-8 is the lone
// surrogate that Python's surrogateescape (PEP 383) makes of it.
func decode(s string) (r rune, size int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	r, size = utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return 0xDC00 + rune(s[0]), 1
	}
	return r, size
}

// Regexp returns a regular expression that accepts the same texts of the alphabet as the pattern
// does, and means the same to Go and to PostgreSQL: it writes each class out as the characters of
// the alphabet that it accepts. The alphabet must consist of letters, digits, "_" and ".".
func (p Pattern) Regexp(alphabet string) string {
	var b strings.Builder
	b.WriteByte('^')
	for _, t := range p {
		switch t.Rune {
		case Star:
			b.WriteString(".*")
		case AnyOne:
			b.WriteByte('.')
		default:
			b.WriteString(t.among(alphabet))
		}
	}
	b.WriteByte('$')
	return b.String()
}

// among returns a regular expression for the characters of the alphabet that the token accepts. For
// a token that accepts none of them it is a character outside of the alphabet.
func (t Token) among(alphabet string) string {
	set := strings.Map(func(r rune) rune {
		if t.accepts(r) {
			return r
		}
		return -1
	}, alphabet)
	switch {
	case set == "":
		return "#"
	case set == ".":
		return "[.]"
	case len(set) == 1:
		return set
	}
	return "[" + set + "]"
}
