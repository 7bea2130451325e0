package taxonomy

import (
	"maps"
	"sync"
)

// stats counts the envelopes that broke a rule and passed, by action. The zero value is ready for
// use.
type stats struct {
	mu    sync.Mutex
	known map[string]uint64
	other map[string]uint64 // of actions that are not registered
}

func (t *stats) add(action string, registered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known, t.other = map[string]uint64{}, map[string]uint64{}
	}
	if registered {
		t.known[action]++
		return
	}
	if _, told := t.other[action]; !told && len(t.other) >= MaxUnknown {
		action = OtherActions
	}
	t.other[action]++
}

// all returns the counts. An action that was registered at one time and not at another has both in
// one.
func (t *stats) all() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := map[string]uint64{}
	maps.Copy(counts, t.known)
	for action, n := range t.other {
		counts[action] += n
	}
	return counts
}
