package preferences

import "unicode/utf8"

// A plain pattern is one token for each thing that fnmatch distinguishes.
// It can say every pattern, and match takes O(len(pattern)·len(action)) steps
// at worst and allocates nothing.
type plain []token

// A token is a star, or accepts exactly one character.
type token struct {
	r     rune   // the literal, or star, anyOne or inClass
	class *class // for inClass only
}

// What a token is when it is not a literal.
const (
	star rune = -1 - iota
	anyOne
	inClass
)

// parse reads a valid UTF-8 pattern. There is no wrong one: a bracket that
// nothing closes is itself.
func parse(pattern string) plain {
	var p plain
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; r {
		case '*':
			if len(p) == 0 || p[len(p)-1].r != star {
				p = append(p, token{r: star})
			}
		case '?':
			p = append(p, token{r: anyOne})
		case '[':
			end := classEnd(runes, i)
			if end < 0 {
				p = append(p, token{r: r})
				continue
			}
			c := newClass(runes[i+1 : end])
			p = append(p, token{r: inClass, class: &c})
			i = end
		default:
			p = append(p, token{r: r})
		}
	}
	return p
}

// classEnd returns where the class that opens at open is closed, or -1. A ']'
// right after the opening, or after its '!', belongs to the class.
func classEnd(runes []rune, open int) int {
	i := open + 1
	if i < len(runes) && runes[i] == '!' {
		i++
	}
	if i < len(runes) && runes[i] == ']' {
		i++
	}
	for ; i < len(runes); i++ {
		if runes[i] == ']' {
			return i
		}
	}
	return -1
}

// match reports whether p accepts all of s. On a mismatch only the last star
// takes one more character: an earlier one could gain nothing by it, since the
// later accepts whatever it leaves.
func (p plain) match(s string) bool {
	next := 0    // the token to satisfy
	resume := -1 // the token after the last star, if there was one
	taken := 0   // where in s what that star took ends
	for i := 0; i < len(s); {
		if next < len(p) && p[next].r == star {
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
	if next < len(p) && p[next].r == star {
		next++
	}
	return next == len(p)
}

func (t token) accepts(r rune) bool {
	return t.r == r || t.r == anyOne || t.r == inClass && t.class.accepts(r)
}

// decode returns the first character of s, which is not empty. A byte that is
// not UTF-8 is a character of its own that no literal equals: the lone
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
