package outbox

import (
	"testing"
	"time"
)

// claims is a number of claims of others, with what they take and at what intervals.
type claims struct {
	n      int
	beside bool
	took   time.Duration
	every  time.Duration
}

func TestPacing(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	apart := claims{20, false, 4 * ms, 10 * ms}
	for name, c := range map[string]struct {
		claims  []claims
		pause   time.Duration // after a turn of 20 ms
		running int           // of four, that a further turn is admitted beside
	}{
		"nothing is known":        {nil, 20 * ms, 0},
		"few claims":              {[]claims{apart, {7, true, 40 * ms, 10 * ms}}, 20 * ms, 0},
		"nothing to compare with": {[]claims{{100, true, 40 * ms, 10 * ms}}, 20 * ms, 0},
		"they take as long":       {[]claims{apart, {100, true, 4 * ms, 10 * ms}}, 0, 3},
		"they take less than slower": {
			[]claims{apart, {100, true, 5500 * time.Microsecond, 10 * ms}},
			20 * ms, 0,
		},
		"they take longer":          {[]claims{apart, {8, true, 8 * ms, 10 * ms}}, 40 * ms, 0},
		"they take longer for long": {[]claims{apart, {100, true, 8 * ms, 10 * ms}}, 80 * ms, 0},
		"they take less again": {
			[]claims{apart, {100, true, 8 * ms, 10 * ms}, {24, true, ms, 10 * ms}},
			20 * ms, 0,
		},
		"they take less for long": {
			[]claims{apart, {100, true, 8 * ms, 10 * ms}, {100, true, ms, 10 * ms}},
			0, 3,
		},
		"all of them take longer": {
			[]claims{apart, {100, true, 8 * ms, ms}, {20, false, 8 * ms, ms}, {100, true, 8 * ms, ms}},
			0, 3,
		},
		"after none, they take longer": {
			[]claims{apart, {100, true, 4 * ms, 10 * ms}, {16, true, 20 * ms, 10 * ms}},
			10 * ms, 0,
		},
		"the comparison is old": {[]claims{apart, {100, true, 4 * ms, 200 * ms}}, 20 * ms, 0},
	} {
		p, now := newPacing(), time.Now()
		for _, each := range c.claims {
			for range each.n {
				now = now.Add(each.every)
				p.note(each.took, each.beside, now)
			}
		}
		if got := p.pause(20 * ms); got != c.pause {
			t.Errorf("%s: got a pause of %v, want %v", name, got, c.pause)
		}
		for running := range 5 {
			if got, want := p.admits(running, 4), running <= c.running; got != want {
				t.Errorf("%s: %d running: got admitted %v, want %v", name, running, got, want)
			}
		}
		if got := p.pause(time.Minute); got > longestRest {
			t.Errorf("%s: got a pause of %v, want at most %v", name, got, longestRest)
		}
	}
}
