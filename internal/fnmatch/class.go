package fnmatch

// A class is the set of characters that one [...] of a pattern accepts. The zero class accepts no
// character and a negated class without spans accepts any; a pattern can contain both, as [b-a] and
// [!b-a].
type class struct {
	negated bool
	spans   []span
}

// A span is the range of code points lo to hi, both included.
type span struct{ lo, hi rune }

// newClass returns the class with this body, the characters between its brackets.
func newClass(body string) class {
	var c class
	c.negated = readClass(body, func(lo, hi rune) { c.spans = append(c.spans, span{lo, hi}) })
	return c
}

// hyphen stands for a hyphen that makes a range. No character has this code.
const hyphen rune = -1

// readClass calls span with each range of characters in the body of a class, which has at least one
// character, and reports whether the class accepts the others instead. It needs as many steps as
// there are characters.
//
// Its results are those of translate in CPython 3.11's Lib/fnmatch.py, because that function alone
// defines the corner cases: a range that runs backwards vanishes together with its ends, which may
// leave a '!' in front, and that one negates.
func readClass(body string, span func(lo, hi rune)) (negated bool) {
	var buffer [256]rune
	members := appendMembers(buffer[:0], body)
	if len(members) > 0 && members[0] == '!' {
		negated = true
		members = members[1:]
		if len(members) > 0 && members[0] == hyphen { // only the '!' precedes it
			members[0] = '-'
		}
	}
	for i, r := range members {
		if r == hyphen {
			span(members[i-1], members[i+1])
		} else {
			span(r, r)
		}
	}
	return negated
}

// appendMembers appends the characters of a class's body, without ranges that run backwards, and
// with hyphen in place of each '-' that makes a range.
func appendMembers(to []rune, body string) []rune {
	for _, r := range body {
		to = append(to, r)
	}
	markRanges(to)
	// From the last to the first, the characters move to the end of the list.
	first := len(to)
	for i := len(to) - 1; i >= 0; i-- {
		if to[i] == hyphen && to[i-1] > to[first] {
			first++ // drops one end of the range
			i--     // and the other
			continue
		}
		first--
		to[first] = to[i]
	}
	return to[first:]
}

// markRanges replaces each '-' that makes a range by hyphen: there are at least one character
// before it, one behind it, and two between it and the next.
func markRanges(members []rune) {
	from := 1
	if members[0] == '!' {
		from = 2
	}
	for i := from; i < len(members)-1; i++ {
		if members[i] == '-' {
			members[i] = hyphen
			i += 2 // the end of a range begins no other
		}
	}
}

func (c *class) accepts(r rune) bool {
	for _, s := range c.spans {
		if s.lo <= r && r <= s.hi {
			return !c.negated
		}
	}
	return c.negated
}
