package secrets

import (
	"math/bits"
	"strings"
)

// hintSet finds out quickly that a text contains none of a set of strings. Each string belongs to
// one of 64 groups; the tables hold for each byte the groups of the strings that have it as their
// first and as their second byte.
type hintSet struct {
	first, second [256]uint64
	groups        [64][]string
}

// newHints returns the set of these strings, each of at least two bytes.
func newHints(all []string) *hintSet {
	h := &hintSet{}
	for i, hint := range all {
		group := i % len(h.groups)
		h.groups[group] = append(h.groups[group], hint)
		h.first[hint[0]] |= 1 << group
		h.second[hint[1]] |= 1 << group
	}
	return h
}

// in reports whether a text in lower case contains one of the strings, as
// fanfare.may_contain_secret does.
func (h *hintSet) in(lower string) bool {
	for i := 1; i < len(lower); i++ {
		if groups := h.first[lower[i-1]] & h.second[lower[i]]; groups != 0 && h.at(lower[i-1:], groups) {
			return true
		}
	}
	return false
}

// at reports whether a text begins with a string of the groups.
func (h *hintSet) at(lower string, groups uint64) bool {
	for ; groups != 0; groups &= groups - 1 {
		for _, hint := range h.groups[bits.TrailingZeros64(groups)] {
			if strings.HasPrefix(lower, hint) {
				return true
			}
		}
	}
	return false
}
