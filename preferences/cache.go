package preferences

import "sync"

// cacheSize bounds a cache to some 20 MB when every pattern in it is the worst
// there can be, and to 1.5 MB when they are like resource.*.
const cacheSize = 4096

// A cache compiles patterns and keeps them. When it is full, any one of them
// makes room: people share few patterns, and compiling one takes microseconds.
// The zero cache is empty, and many goroutines may use it at once.
type cache struct {
	mu       sync.RWMutex
	patterns map[string]Pattern
}

// compile is Compile, but does it only once for a pattern that the cache keeps.
// It does not keep those that cannot be: they are refused quickly, and may be
// of any length.
func (c *cache) compile(pattern string) (Pattern, error) {
	c.mu.RLock()
	p, ok := c.patterns[pattern]
	c.mu.RUnlock()
	if ok {
		return p, nil
	}
	p, err := Compile(pattern)
	if err != nil {
		return Pattern{}, err
	}
	c.keep(p)
	return p, nil
}

func (c *cache) keep(p Pattern) {
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
