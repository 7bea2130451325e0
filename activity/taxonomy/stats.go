package taxonomy

import (
	"maps"
	"sync"
)

// stats counts envelopes with violations that were accepted, by action. The zero value is ready for
// use.
type stats struct {
	mu    sync.Mutex
	known map[string]uint64 // registered actions
	other map[string]uint64 // unregistered actions
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
	if _, counted := t.other[action]; !counted && len(t.other) >= MaxUnknown {
		action = OtherActions
	}
	t.other[action]++
}

// all returns the counts. It adds those of an action that was registered only at times.
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
