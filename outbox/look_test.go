package outbox

import (
	"testing"
	"time"
)

func TestQuiet(t *testing.T) {
	t.Parallel()
	const busy = 10 * time.Millisecond
	now := time.Now()
	probe := func(lastSeq int64, next uint64, xmin, xmax uint64, running ...uint64) probed {
		return probed{
			sequence: true, origin: origin{server: "a", lastSeq: lastSeq},
			snapshot: snapshot{xmin: xmin, xmax: xmax, running: running}, nextXID: next,
		}
	}
	see := func(lastSeq int64, xmin, xmax uint64, running ...uint64) looked {
		return looked{"a", lastSeq, snapshot{xmin: xmin, xmax: xmax, running: running}}
	}
	unknown := probe(7, 100, 100, 100)
	unknown.sequence = false
	elsewhere, older := see(7, 100, 100), see(7, 99, 99)
	elsewhere.server = "b"
	for name, c := range map[string]struct {
		probes []probed
		look   looked
		known  bool
		same   bool
	}{
		"no probe":               {nil, see(0, 1, 1), false, false},
		"an unknown sequence":    {[]probed{unknown}, see(7, 100, 100), false, false},
		"nothing":                {[]probed{probe(7, 100, 100, 100)}, see(7, 100, 100), true, true},
		"another server":         {[]probed{probe(7, 100, 100, 100)}, elsewhere, true, false},
		"ids went back":          {[]probed{probe(7, 100, 100, 100)}, older, true, false},
		"the sequence moves":     {[]probed{probe(7, 100, 100, 100)}, see(8, 100, 100), true, true},
		"and a transaction ends": {[]probed{probe(7, 100, 100, 100)}, see(8, 101, 101), true, false},
		"others end":             {[]probed{probe(7, 100, 100, 100)}, see(7, 120, 120), true, true},
		"a running one stays":    {[]probed{probe(7, 99, 90, 99, 90)}, see(7, 90, 120, 90), true, true},
		"a running one ends":     {[]probed{probe(7, 100, 90, 99, 90)}, see(7, 120, 120), true, false},
		"one between ends":       {[]probed{probe(7, 102, 100, 100)}, see(7, 120, 120), true, false},
		"one between stays":      {[]probed{probe(7, 102, 100, 100)}, see(7, 100, 120, 100, 101), true, true},
		"it ends before a probe": {
			[]probed{probe(7, 100, 90, 99, 90), probe(7, 130, 120, 120)}, see(7, 140, 140), true, true,
		},
		"the sequence moved between": {
			[]probed{probe(7, 100, 90, 99, 90), probe(8, 130, 90, 120, 90)}, see(8, 130, 130), true, false,
		},
	} {
		var q quiet
		for _, p := range c.probes {
			q.note(p, true, now)
		}
		if got := q.holds(assignment{}, busy, now); got != c.known {
			t.Errorf("%s: got holds %v, want %v", name, got, c.known)
		}
		if got := q.same(c.look); got != c.same {
			t.Errorf("%s: got same %v, want %v", name, got, c.same)
		}
	}
}

// TestQuietHolds holds for a second while nothing waits, and not for long while something does.
func TestQuietHolds(t *testing.T) {
	t.Parallel()
	const busy = 10 * time.Millisecond
	now := time.Now()
	nothing := probed{
		sequence: true, origin: origin{server: "a", lastSeq: 7},
		snapshot: snapshot{xmin: 100, xmax: 100}, nextXID: 100,
	}
	parked, found := nothing, nothing
	parked.waiting, found.lanes = true, map[int]workIn{3: {others: true}}
	for name, c := range map[string]struct {
		probe      probed
		all        bool
		assignment assignment
		want       time.Duration
	}{
		"empty":               {nothing, true, assignment{}, probeAnyway},
		"empty, four workers": {nothing, true, assignment{count: 4}, 4 * probeAnyway},
		"a parked activity":   {parked, true, assignment{}, busy},
		"a lane was taken":    {nothing, false, assignment{}, busy},
		"a lane with work":    {found, true, assignment{count: 4}, busy},
	} {
		var q quiet
		q.note(c.probe, c.all, now)
		before, at := now.Add(c.want-1), now.Add(c.want)
		if !q.holds(c.assignment, busy, before) || q.holds(c.assignment, busy, at) {
			t.Errorf("%s: want a probe after %v", name, c.want)
		}
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	const poll = 25 * time.Millisecond
	for ago, want := range map[time.Duration]time.Duration{
		0:                       2 * time.Millisecond,
		99 * time.Millisecond:   2 * time.Millisecond,
		100 * time.Millisecond:  4 * time.Millisecond,
		500 * time.Millisecond:  10 * time.Millisecond,
		2 * time.Second:         25 * time.Millisecond,
		10 * time.Second:        100 * time.Millisecond,
		1000 * time.Millisecond: 10 * time.Millisecond,
	} {
		if got := pace(poll, ago); got != want {
			t.Errorf("%v after work: got %v, want %v", ago, got, want)
		}
	}
}
