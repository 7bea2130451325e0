package outbox

import (
	"testing"
	"time"
)

func TestQuiet(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(server string, lastSeq int64, xmin, next uint64) probed {
		return probed{
			sequence: true, origin: origin{server: server, lastSeq: lastSeq},
			snapshot: snapshot{xmin: xmin, xmax: xmin}, nextXID: next,
		}
	}
	unknown, parked, found := at("a", 7, 100, 100), at("a", 7, 100, 100), at("a", 7, 100, 100)
	unknown.sequence, parked.waiting, found.lanes = false, true, map[int]workIn{3: {others: true}}
	for name, c := range map[string]struct {
		probes []probed
		some   bool // the last probe does not include every lane
		want   bool
	}{
		"one probe":           {[]probed{at("a", 7, 100, 100)}, false, false},
		"two":                 {[]probed{at("a", 7, 100, 100), at("a", 7, 100, 100)}, false, true},
		"an open transaction": {[]probed{at("a", 7, 90, 100), at("a", 7, 90, 100)}, false, false},
		"it ends, others begin": {
			[]probed{at("a", 7, 90, 99), at("a", 7, 90, 100), at("a", 7, 100, 120)}, false, true,
		},
		"it began after the first probe": {
			[]probed{at("a", 7, 90, 91), at("a", 7, 91, 92), at("a", 7, 91, 95)}, false, false,
		},
		"the sequence moves": {
			[]probed{at("a", 7, 100, 100), at("a", 7, 100, 100), at("a", 8, 101, 101)}, false, false,
		},
		"another server":             {[]probed{at("a", 7, 100, 100), at("b", 7, 100, 100)}, false, false},
		"an unknown sequence":        {[]probed{unknown, unknown, unknown}, false, false},
		"a parked activity":          {[]probed{parked, parked, parked}, false, false},
		"a row":                      {[]probed{found, found, found}, false, false},
		"lanes that were not probed": {[]probed{found, at("a", 7, 100, 100)}, true, false},
	} {
		var q quiet
		for i, p := range c.probes {
			q.note(p, !c.some || i < len(c.probes)-1, now)
		}
		if got := q.holds(assignment{}, now); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if q.holds(assignment{}, now.Add(probeAnyway)) {
			t.Errorf("%s: holds after %v", name, probeAnyway)
		}
	}
}
