package activity

// findAll walks a JSON object once and notes where the paths lead to: found[i] is the value that
// paths[i] names, as it stands there, and nil where there is none. Of two equal keys the later
// counts, as in jsonb. What is not JSON is read as far as it goes.
func findAll(raw []byte, paths [][]string, found [][]byte) {
	f := finder{raw: raw, paths: paths, found: found}
	f.space()
	f.object(0, 1<<len(paths)-1)
}

// finder reads raw from at on.
type finder struct {
	raw   []byte
	at    int
	paths [][]string
	found [][]byte
}

// object reads an object for those of the paths, a bit each, that lead into it; depth words of them
// did.
func (f *finder) object(depth int, wanted uint32) {
	if !f.take('{') {
		return
	}
	for f.space(); f.at < len(f.raw) && f.raw[f.at] == '"'; f.space() {
		key := f.string()
		f.space()
		if !f.take(':') {
			return
		}
		f.space()
		var into uint32
		start := f.at
		if len(key) >= 2 {
			into = f.match(key, depth, wanted)
		}
		if into != 0 && start < len(f.raw) && f.raw[start] == '{' {
			f.object(depth+1, into)
		} else {
			f.skip()
		}
		for i, path := range f.paths {
			if into&(1<<i) != 0 && len(path) == depth+1 {
				f.found[i] = f.raw[start:f.at]
			}
		}
		f.space()
		if !f.take(',') {
			break
		}
	}
	f.take('}')
}

// match returns those of the wanted paths that go on with the key, and forgets what an equal key
// before it led to.
func (f *finder) match(key []byte, depth int, wanted uint32) (into uint32) {
	name := key[1 : len(key)-1]
	for _, b := range name {
		if b == '\\' {
			name = []byte(unquoted(key))
			break
		}
	}
	for i, path := range f.paths {
		if wanted&(1<<i) != 0 && depth < len(path) && path[depth] == string(name) {
			into |= 1 << i
			f.found[i] = nil
		}
	}
	return into
}

// string reads a string and returns it with its quotes, nil when it does not end.
func (f *finder) string() []byte {
	start := f.at
	for f.at++; f.at < len(f.raw); f.at++ {
		switch f.raw[f.at] {
		case '\\':
			f.at++
		case '"':
			f.at++
			return f.raw[start:f.at]
		}
	}
	f.at = len(f.raw)
	return nil
}

// skip reads a value of any kind.
func (f *finder) skip() {
	depth := 0
	for f.at < len(f.raw) {
		switch f.raw[f.at] {
		case '"':
			if f.string() == nil {
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
				f.at++
				return
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return
			}
		}
		f.at++
	}
}

func (f *finder) space() {
	for f.at < len(f.raw) && (f.raw[f.at] == ' ' || f.raw[f.at] == '\n' || f.raw[f.at] == '\t' || f.raw[f.at] == '\r') {
		f.at++
	}
}

func (f *finder) take(b byte) bool {
	if f.at < len(f.raw) && f.raw[f.at] == b {
		f.at++
		return true
	}
	return false
}
