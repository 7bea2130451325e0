package activity

import (
	"slices"
	"strings"
)

// actionAlphabet is what actions are written in.
const actionAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789_."

// globRegexp returns a regular expression that matches the same actions as a pattern of Python
// 3.11's fnmatch.fnmatchcase does. It means the same to PostgreSQL and to Go: a class is written
// out as those of its characters that an action can have.
func globRegexp(glob string) string {
	var b strings.Builder
	b.WriteString("^")
	for runes := []rune(glob); len(runes) > 0; {
		r := runes[0]
		runes = runes[1:]
		switch {
		case r == '*':
			b.WriteString(".*")
		case r == '?':
			b.WriteString(".")
		case r == '[' && globClassEnd(runes) > 0:
			end := globClassEnd(runes)
			b.WriteString(oneOfAlphabet(globClass(runes[:end])))
			runes = runes[end+1:]
		default:
			b.WriteString(oneOfAlphabet(func(c rune) bool { return c == r }))
		}
	}
	b.WriteString("$")
	return b.String()
}

// oneOfAlphabet writes a character of the alphabet that is accepted. What accepts none of it is
// written as what no action has.
func oneOfAlphabet(accepts func(r rune) bool) string {
	set := strings.Map(func(r rune) rune {
		if accepts(r) {
			return r
		}
		return -1
	}, actionAlphabet)
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

// globClassEnd returns where the class whose opening is just behind is closed, or -1: a ']' in
// front is one of its characters.
func globClassEnd(runes []rune) int {
	from := 0
	if from < len(runes) && runes[from] == '!' {
		from++
	}
	if from < len(runes) && runes[from] == ']' {
		from++
	}
	for ; from < len(runes); from++ {
		if runes[from] == ']' {
			return from
		}
	}
	return -1
}

// globClass reads what stands between the brackets, never nothing, as translate in CPython 3.11's
// Lib/fnmatch.py does: a hyphen between two characters makes a range, and a range that runs
// backwards vanishes with its ends.
func globClass(body []rune) (accepts func(r rune) bool) {
	var chunks [][]rune
	from := 1
	if body[0] == '!' {
		from = 2
	}
	for from < len(body)-1 {
		at := slices.Index(body[from:len(body)-1], '-')
		if at < 0 {
			break
		}
		at += from
		chunks, body, from = append(chunks, body[:at]), body[at+1:], 2
	}
	chunks = append(chunks, body)
	for k := len(chunks) - 1; k > 0; k-- {
		if before, after := chunks[k-1], chunks[k]; before[len(before)-1] > after[0] {
			chunks[k-1] = slices.Concat(before[:len(before)-1], after[1:])
			chunks = slices.Delete(chunks, k, k+1)
		}
	}
	negated := len(chunks[0]) > 0 && chunks[0][0] == '!'
	if negated {
		chunks[0] = chunks[0][1:]
	}
	return func(r rune) bool {
		for k, chunk := range chunks {
			if slices.Contains(chunk, r) ||
				k > 0 && len(chunks[k-1]) > 0 && chunks[k-1][len(chunks[k-1])-1] <= r && r <= chunk[0] {
				return !negated
			}
		}
		return negated
	}
}
