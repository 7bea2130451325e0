// Package heap spares a process with a small heap most of its garbage collections.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// Minimum is the size up to which the heap of a daemon grows without a collection.
const Minimum = 64 << 20

// The percentages of growth between two collections. The runtime's default is the lowest.
const (
	lowest  = 100
	highest = 1600
)

// Keep makes the garbage collector wait until the heap has Minimum bytes, and has grown by the
// runtime's default. GOGC in the environment precedes it; GOMEMLIMIT holds in any case. It returns
// a function that restores the default, for tests.
func Keep() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	k := &keeper{}
	k.adjust()
	k.watch()
	return k.stop
}

// keeper sets the percentage after each collection.
type keeper struct {
	mu      sync.Mutex
	percent int
	stopped bool
}

// watch calls adjust after the next collection, which finds that nothing refers to the object.
func (k *keeper) watch() {
	runtime.AddCleanup(new([64]byte), func(k *keeper) {
		if k.adjust() {
			k.watch()
		}
	}, k)
}

// adjust reports whether the keeper is to be called again.
func (k *keeper) adjust() bool {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // 0 before the first collection
	metrics.Read(sample)
	percent := percentFor(sample[0].Value.Uint64())
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return false
	}
	// Setting it stops all goroutines for a moment.
	if change := percent - k.percent; change < -k.percent/8 || change > k.percent/8 {
		debug.SetGCPercent(percent)
		k.percent = percent
	}
	return true
}

// percentFor returns by how many percent a heap with this many live bytes grows up to Minimum.
func percentFor(live uint64) int {
	if live >= Minimum/2 {
		return lowest
	}
	return int(min((Minimum-live)*100/max(live, 1), highest))
}

func (k *keeper) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	debug.SetGCPercent(lowest)
}
