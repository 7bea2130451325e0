package oracle

import "strings"

// fnmatch is Python's fnmatch.fnmatchcase for patterns of ASCII characters, *, ? and sets without
// ranges.
func fnmatch(pattern, text string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := range len(text) + 1 {
				if fnmatch(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case '[':
			end := strings.IndexByte(pattern, ']')
			if text == "" || end < 0 {
				return false
			}
			members, negated := strings.CutPrefix(pattern[1:end], "!")
			if strings.IndexByte(members, text[0]) >= 0 == negated {
				return false
			}
			pattern, text = pattern[end+1:], text[1:]
			continue
		case '?':
			if text == "" {
				return false
			}
		default:
			if text == "" || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}
