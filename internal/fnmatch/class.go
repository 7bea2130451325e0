package fnmatch

import "slices"

// A class is the set of characters that one [...] of a pattern accepts. The zero class accepts no
// character and a negated class without spans accepts any; a pattern can contain both, as [b-a] and
// [!b-a].
type class struct {
	negated bool
	spans   []span
}

// A span is the range of code points lo to hi, both included.
type span struct{ lo, hi rune }

// newClass reads a class from the characters between its brackets, of which there is at least one.
// It follows translate in CPython 3.11's Lib/fnmatch.py step by step, because that function alone
// defines the corner cases: a range that runs backwards vanishes together with its ends, which may
// leave a '!' in front, and that one negates.
func newClass(body []rune) class {
	chunks := split(body)
	for k := len(chunks) - 1; k > 0; k-- {
		before, after := chunks[k-1], chunks[k]
		if before[len(before)-1] > after[0] {
			chunks[k-1] = slices.Concat(before[:len(before)-1], after[1:])
			chunks = slices.Delete(chunks, k, k+1)
		}
	}

	var c class
	if first := chunks[0]; len(first) > 0 && first[0] == '!' {
		c.negated = true
		chunks[0] = first[1:]
	}
	for k, chunk := range chunks {
		if k > 0 {
			c.join(chunks[k-1], chunk)
		}
		for _, r := range chunk {
			c.spans = append(c.spans, span{r, r})
		}
	}
	return c
}

// split cuts the body of a class at each hyphen that makes a range, so that the last character of a
// chunk and the first of the next are the ends of a range.
func split(body []rune) [][]rune {
	from := 1 // a hyphen in front is itself
	if body[0] == '!' {
		from = 2
	}
	var chunks [][]rune
	start := 0
	for from < len(body) {
		at := slices.Index(body[from:], '-')
		if at < 0 {
			break
		}
		at += from
		if at == len(body)-1 {
			break // a hyphen at the end is itself too
		}
		chunks = append(chunks, body[start:at])
		start, from = at+1, at+3 // the end of a range begins no other
	}
	return append(chunks, body[start:])
}

// join adds the meaning of the hyphen between two chunks: a range, or the hyphen itself when only
// the '!' of a negation precedes it.
func (c *class) join(before, after []rune) {
	if len(before) == 0 {
		c.spans = append(c.spans, span{'-', '-'})
		return
	}
	c.spans = append(c.spans, span{before[len(before)-1], after[0]})
}

func (c *class) accepts(r rune) bool {
	for _, s := range c.spans {
		if s.lo <= r && r <= s.hi {
			return !c.negated
		}
	}
	return c.negated
}
