package fnmatch

import "slices"

// Distance returns how many characters of s must be inserted, deleted or replaced so that the
// pattern accepts it: 0 if it accepts s. It takes O(len(p)·len(s)) steps.
func (p Pattern) Distance(s string) int {
	var text []rune
	for i := 0; i < len(s); {
		r, size := decode(s[i:])
		text, i = append(text, r), i+size
	}
	// below[j] is the distance of the tokens after the present one to text[j:].
	below := make([]int, len(text)+1)
	for j := range below {
		below[j] = len(text) - j
	}
	row := make([]int, len(below))
	for _, token := range slices.Backward(p) {
		star := token.Rune == Star
		for j := len(text); j >= 0; j-- {
			switch {
			case star && j == len(text):
				row[j] = below[j]
			case star:
				row[j] = min(below[j], row[j+1])
			case j == len(text):
				row[j] = below[j] + 1
			default:
				replaced := below[j+1]
				if !token.accepts(text[j]) {
					replaced++
				}
				row[j] = min(replaced, below[j]+1, row[j+1]+1)
			}
		}
		below, row = row, below
	}
	return below[0]
}
