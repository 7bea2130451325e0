package outbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSnapshot(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want snapshot
		ok   bool
	}{
		{"100:100:", snapshot{xmin: 100, xmax: 100}, true},
		{"100:105:100,103", snapshot{xmin: 100, xmax: 105, running: []uint64{100, 103}}, true},
		{"18446744073709551615:18446744073709551615:", snapshot{xmin: 1<<64 - 1, xmax: 1<<64 - 1}, true},
		{"", snapshot{}, false},
		{"1:2", snapshot{}, false},
		{"1:2:x", snapshot{}, false},
		{"-1:2:", snapshot{}, false},
	} {
		got, err := parseSnapshot(tc.text)
		if (err == nil) != tc.ok {
			t.Errorf("parseSnapshot(%q): got error %v, want ok %v", tc.text, err, tc.ok)
		}
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(snapshot{})); tc.ok && diff != "" {
			t.Errorf("parseSnapshot(%q): -want +got\n%s", tc.text, diff)
		}
	}
}

func FuzzParseSnapshot(f *testing.F) {
	f.Add("100:105:100,103")
	f.Add("1:1:")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSnapshot(text)
		if err != nil {
			return
		}
		for _, xid := range s.running {
			if xid >= s.xmin && s.ended(xid) {
				t.Errorf("parseSnapshot(%q): %d is running and ended", text, xid)
			}
		}
	})
}

// The bound of a scan is the lowest seq that a lane may not have seen yet.
func (h *hints) bound(s snapshot) int64 {
	lo := h.pos
	for xid, bound := range h.running {
		if s.ended(xid) {
			lo = min(lo, bound)
		}
	}
	return lo
}

func TestHints(t *testing.T) {
	t.Parallel()
	t.Run("an id beyond xmax may hold a lower seq", func(t *testing.T) {
		t.Parallel()
		// A takes id 100; B takes id 101 and seq 1; A takes seq 2 and commits; a claim (its id 102)
		// removes seq 2: xmax is 101.
		var h hints
		h.removed(snapshot{xmin: 101, xmax: 101}, 102, 2, false, observed{})
		if got := h.bound(snapshot{xmin: 101, xmax: 101}); got != 2 {
			t.Errorf("while B is open: got bound %d, want 2", got)
		}
		if got := h.bound(snapshot{xmin: 103, xmax: 103}); got >= 1 {
			t.Errorf("after B has committed: got bound %d, want below seq 1", got)
		}
	})
	t.Run("a transaction keeps the bound it was first given", func(t *testing.T) {
		t.Parallel()
		var h hints
		h.removed(snapshot{xmin: 10, xmax: 20, running: []uint64{10}}, 20, 50, false, observed{})
		h.removed(snapshot{xmin: 10, xmax: 30, running: []uint64{10, 25}}, 30, 90, false, observed{})
		if diff := cmp.Diff(map[uint64]int64{10: 0, 25: 50}, h.running); diff != "" {
			t.Errorf("running: -want +got\n%s", diff)
		}
		if got := h.bound(snapshot{xmin: 25, xmax: 31, running: []uint64{25}}); got != 0 {
			t.Errorf("after 10 has ended: got bound %d, want 0", got)
		}
	})
	t.Run("a transaction that began after the sequence was seen has later seqs", func(t *testing.T) {
		t.Parallel()
		h := hints{pos: 100}
		// The sequence was at 500 when the id 20 was assigned.
		h.removed(snapshot{xmin: 19, xmax: 23, running: []uint64{19, 20, 21}}, 24, 700, false, observed{20, 500})
		want := map[uint64]int64{19: 100, 20: 100, 21: 500, 23: 500}
		if diff := cmp.Diff(want, h.running); diff != "" {
			t.Errorf("running: -want +got\n%s", diff)
		}
		h.removed(snapshot{xmin: 21, xmax: 24, running: []uint64{21, 23}}, 26, 900, false, observed{24, 800})
		want = map[uint64]int64{21: 500, 23: 500, 24: 700, 25: 800}
		if diff := cmp.Diff(want, h.running); diff != "" {
			t.Errorf("later: -want +got\n%s", diff)
		}
	})
	t.Run("a batch cut by its limit takes the position down with it", func(t *testing.T) {
		t.Parallel()
		h := hints{pos: 100, running: map[uint64]int64{7: 40}}
		h.removed(snapshot{xmin: 9, xmax: 9}, 9, 60, true, observed{})
		if h.pos != 60 {
			t.Errorf("got pos %d, want 60", h.pos)
		}
		h.removed(snapshot{xmin: 12, xmax: 12}, 12, 55, false, observed{})
		if h.pos != 60 {
			t.Errorf("uncut: got pos %d, want 60", h.pos)
		}
	})
	t.Run("an empty look drops those that have ended and adds none", func(t *testing.T) {
		t.Parallel()
		h := hints{pos: 100, running: map[uint64]int64{7: 40, 9: 50}}
		h.empty(snapshot{xmin: 9, xmax: 15, running: []uint64{9, 12}})
		if diff := cmp.Diff(map[uint64]int64{9: 50}, h.running); diff != "" {
			t.Errorf("running: -want +got\n%s", diff)
		}
	})
}
