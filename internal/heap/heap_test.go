package heap

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/fanfarehq/fanfare/internal/waittest"
)

func TestPercent(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{
		0: highest, 1 << 20: highest, 4 << 20: 1500, 16 << 20: 300, 31 << 20: 106, 32 << 20: lowest, 1 << 30: lowest,
	} {
		if got := percentFor(live); got != want {
			t.Errorf("%d live bytes: got %d percent, want %d", live, got, want)
		}
	}
}

// TestKeep changes the percentage of the process, so it runs alone.
func TestKeep(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(lowest))
	t.Setenv("GOGC", "")
	stop := Keep()
	waittest.Until(t, "a small heap grows up to the minimum", func() bool {
		runtime.GC()
		return percent() > 4*lowest
	})
	live := make([]byte, Minimum)
	waittest.Until(t, "a large heap grows by the default", func() bool {
		runtime.GC()
		return percent() == lowest
	})
	runtime.KeepAlive(live)
	live = nil
	waittest.Until(t, "a heap that is small again grows up to the minimum", func() bool {
		runtime.GC()
		return percent() > 4*lowest
	})
	stop()
	runtime.GC()
	if got := percent(); got != lowest {
		t.Errorf("stopped: got %d percent, want %d", got, lowest)
	}
	t.Setenv("GOGC", "200")
	Keep()
	if got := percent(); got != lowest {
		t.Errorf("GOGC is set: got %d percent, want the one that the runtime has set, %d", got, lowest)
	}
}

// percent returns the percentage that is set.
func percent() int {
	p := debug.SetGCPercent(lowest)
	debug.SetGCPercent(p)
	return p
}
