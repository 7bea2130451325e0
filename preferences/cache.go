package preferences

import "sync"

// cacheSize is the maximum number of patterns of a cache. It limits the cache to about 1.5 MB for
// patterns like resource.*, and to about 20 MB for the largest patterns.
const cacheSize = 4096

// cache keeps compiled patterns. A full cache evicts an arbitrary pattern: principals share few
// patterns, and compiling one takes microseconds. The zero value is empty. It is safe for
// concurrent use.
type cache struct {
	mu       sync.RWMutex
	patterns map[string]Pattern
}

// compile returns what Compile returns. It does not keep an invalid pattern, which may have any
// length and is rejected quickly.
func (c *cache) compile(pattern string) (Pattern, error) {
	c.mu.RLock()
	p, found := c.patterns[pattern]
	c.mu.RUnlock()
	if found {
		return p, nil
	}
	p, err := Compile(pattern)
	if err != nil {
		return Pattern{}, err
	}
	c.add(p)
	return p, nil
}

func (c *cache) add(p Pattern) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.patterns == nil {
		c.patterns = make(map[string]Pattern)
	}
	if len(c.patterns) >= cacheSize {
		for victim := range c.patterns {
			delete(c.patterns, victim)
			break
		}
	}
	c.patterns[p.text] = p
}
