package template

import "encoding/json"

// findValues scans a JSON object once. It sets values[i] to the JSON text of the value at paths[i],
// or leaves it nil if the path leads nowhere. Of two equal keys the later one counts, as in jsonb.
// In an invalid text, the valid part before the error counts.
func findValues(object []byte, paths [][]string, values [][]byte) {
	s := scanner{text: object, paths: paths, values: values}
	s.space()
	s.object(0, 1<<len(paths)-1)
}

// scanner scans text from the offset at.
type scanner struct {
	text   []byte
	at     int
	paths  [][]string
	values [][]byte
}

// object scans an object. The bits of wanted select the paths whose first depth keys lead to it.
func (s *scanner) object(depth int, wanted uint32) {
	if !s.take('{') {
		return
	}
	for s.space(); s.at < len(s.text) && s.text[s.at] == '"'; s.space() {
		key := s.string()
		s.space()
		if !s.take(':') {
			return
		}
		s.space()
		var matched uint32
		start := s.at
		if len(key) >= 2 {
			matched = s.match(key, depth, wanted)
		}
		if matched != 0 && start < len(s.text) && s.text[start] == '{' {
			s.object(depth+1, matched)
		} else {
			s.skip()
		}
		for i, path := range s.paths {
			if matched&(1<<i) != 0 && len(path) == depth+1 {
				s.values[i] = s.text[start:s.at]
			}
		}
		s.space()
		if !s.take(',') {
			break
		}
	}
	s.take('}')
}

// match returns which of the wanted paths continue with the key. It clears their values, which an
// earlier equal key may have set.
func (s *scanner) match(key []byte, depth int, wanted uint32) (matched uint32) {
	name := key[1 : len(key)-1]
	for _, b := range name {
		if b == '\\' {
			name = []byte(unquote(key))
			break
		}
	}
	for i, path := range s.paths {
		if wanted&(1<<i) != 0 && depth < len(path) && path[depth] == string(name) {
			matched |= 1 << i
			s.values[i] = nil
		}
	}
	return matched
}

// string scans a string and returns it with its quotes, or nil if it is not terminated.
func (s *scanner) string() []byte {
	start := s.at
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return s.text[start:s.at]
		}
	}
	s.at = len(s.text)
	return nil
}

// skip scans a value of any type.
func (s *scanner) skip() {
	depth := 0
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '"':
			if s.string() == nil {
				return
			}
			if depth == 0 {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return
			}
			if depth--; depth == 0 {
				s.at++
				return
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return
			}
		}
		s.at++
	}
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\n', '\t', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) take(b byte) bool {
	if s.at < len(s.text) && s.text[s.at] == b {
		s.at++
		return true
	}
	return false
}

// scalarText returns the text of a JSON string, number or boolean, and "" for any other value.
func scalarText(value []byte) string {
	switch {
	case len(value) == 0 || value[0] == '{' || value[0] == '[' || value[0] == 'n':
		return ""
	case value[0] != '"':
		return string(value)
	case len(value) < 2: // not terminated
		return ""
	default:
		return unquote(value)
	}
}

// unquote returns the text of a JSON string. It calls encoding/json only for one with escapes.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	for _, b := range inner {
		if b == '\\' {
			var text string
			if json.Unmarshal(quoted, &text) != nil {
				return ""
			}
			return text
		}
	}
	return string(inner)
}
