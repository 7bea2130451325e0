package fnmatch

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// MaxText is the maximum length of a Text in bytes.
const MaxText = 127

// Text is a text to match with many patterns, none of which is compiled. It matches a pattern in
// one step per character of the pattern, whatever the pattern is, and without allocations.
//
// It simulates the pattern's nondeterministic automaton with a set of positions in the text: those
// that the pattern matches up to the character that was read last.
type Text struct {
	end positions // the length of the text, the only position at which a match may end
	at  [utf8.RuneSelf + 1]positions
}

// NewText returns a Text, or nil if s is longer than MaxText or has other than ASCII characters.
func NewText(s string) *Text {
	if len(s) > MaxText {
		return nil
	}
	t := &Text{end: position(len(s))}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return nil
		}
		at := &t.at[s[i]+1]
		*at = at.or(position(i))
	}
	for c := range utf8.RuneSelf {
		t.at[c+1] = t.at[c+1].or(t.at[c])
	}
	return t
}

// between returns the positions of the characters from lo to hi.
func (t *Text) between(lo, hi rune) positions {
	hi = min(hi, utf8.RuneSelf-1)
	if lo > hi {
		return positions{}
	}
	return t.at[hi+1].without(t.at[lo])
}

// Match reports whether a pattern, which must be valid UTF-8, accepts the text, as [Pattern.Match]
// does.
func (t *Text) Match(pattern string) bool {
	reached := position(0)
	unclosed := false // no class is closed behind here
	for i := 0; i < len(pattern) && reached != (positions{}); i++ {
		var accepted positions
		switch c := pattern[i]; {
		case c == '*':
			reached = reached.andAbove().and(t.end.upTo())
			continue
		case c == '?':
			accepted = t.between(0, utf8.RuneSelf)
		case c == '[' && !unclosed:
			end := classEnd(pattern, i)
			if end < 0 {
				unclosed = true
				accepted = t.between('[', '[')
				break
			}
			accepted = t.class(pattern[i+1 : end])
			i = end
		case c < utf8.RuneSelf:
			accepted = t.between(rune(c), rune(c))
		default:
			return false // the text has no such character
		}
		reached = reached.and(accepted).next()
	}
	return reached.and(t.end) != positions{}
}

// class returns the positions of the characters that the class with this body accepts.
func (t *Text) class(body string) positions {
	var accepted positions
	negated := body[0] == '!' && len(body) > 1
	if strings.IndexByte(body, '-') >= 0 {
		negated = readClass(body, func(lo, hi rune) { accepted = accepted.or(t.between(lo, hi)) })
	} else {
		for i := range len(body) {
			if c := rune(body[i]); c < utf8.RuneSelf && (i > 0 || !negated) {
				accepted = accepted.or(t.between(c, c))
			}
		}
	}
	if negated {
		return t.between(0, utf8.RuneSelf).without(accepted)
	}
	return accepted
}

// positions is a set of positions from 0 to MaxText.
type positions struct{ low, high uint64 }

func position(i int) positions {
	if i < 64 {
		return positions{low: 1 << i}
	}
	return positions{high: 1 << (i - 64)}
}

func (p positions) and(o positions) positions { return positions{p.low & o.low, p.high & o.high} }

func (p positions) or(o positions) positions { return positions{p.low | o.low, p.high | o.high} }

func (p positions) without(o positions) positions { return positions{p.low &^ o.low, p.high &^ o.high} }

// next returns the positions behind these.
func (p positions) next() positions { return positions{p.low << 1, p.high<<1 | p.low>>63} }

// andAbove returns the lowest of the positions and all above it.
func (p positions) andAbove() positions {
	low, borrow := bits.Sub64(0, p.low, 0)
	high, _ := bits.Sub64(0, p.high, borrow)
	return positions{p.low | low, p.high | high}
}

// upTo returns the only position of the set and all below it.
func (p positions) upTo() positions {
	low, borrow := bits.Sub64(p.low, 1, 0)
	high, _ := bits.Sub64(p.high, 0, borrow)
	return positions{p.low | low, p.high | high}
}
