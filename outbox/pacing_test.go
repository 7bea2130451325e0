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
		"they take somewhat longer, none twice as long": {
			[]claims{apart, {100, true, 7 * ms, 10 * ms}},
			0, 3,
		},
		"they are slow":          {[]claims{apart, {8, true, 9 * ms, 10 * ms}}, 40 * ms, 0},
		"they are slow for long": {[]claims{apart, {100, true, 9 * ms, 10 * ms}}, 100 * ms, 0},
		"few of them are slow": {
			[]claims{apart, {60, true, 4 * ms, 10 * ms}, {4, true, 9 * ms, 10 * ms}},
			5 * ms, 0,
		},
		"they are slow no longer": {
			[]claims{apart, {24, true, 9 * ms, 10 * ms}, {400, true, 4 * ms, 10 * ms}},
			0, 3,
		},
		"as many are slow in the pauses": {
			[]claims{
				{20, false, 4 * ms, ms},
				{4, false, 12 * ms, ms},
				{16, false, 4 * ms, ms},
				{40, true, 4 * ms, ms},
				{4, true, 12 * ms, ms},
				{20, true, 4 * ms, ms},
			},
			0, 3,
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

// TestPausesOfBacklogs makes pauses as long as possible, and then delivers a backlog in 600 turns.
func TestPausesOfBacklogs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, perSecond float64 // what is left at first, and by how much it shrinks
		every            time.Duration
		pause            time.Duration
	}{
		"gone soon":              {1_000_000, 900, 100 * time.Millisecond, 100 * time.Millisecond},
		"gone in 25 minutes":     {1_500_000, 1000, time.Second, 100 * time.Millisecond},
		"gone in an hour":        {1_000_000, 300, 100 * time.Millisecond, 0},
		"in an hour, slow turns": {3_600_000, 900, time.Second, 0},
		"it does not grow":       {100_000, 0, 100 * time.Millisecond, 0},
		"it grows":               {10_000, -500, 100 * time.Millisecond, 0},
		"it grows, slow turns":   {10_000, -500, time.Second, 0},
		"gone soon, slow turns":  {1_000_000, 1200, time.Second, 100 * time.Millisecond},
	} {
		p, now := newPacing(), time.Now()
		p.note(4*time.Millisecond, false, now)
		p.rest = mostRest
		left := c.first
		for range 600 {
			now, left = now.Add(c.every), left-c.perSecond*c.every.Seconds()
			p.noteTurn(int64(left), now)
		}
		if got := p.pause(20 * time.Millisecond); got != c.pause {
			t.Errorf("%s: got a pause of %v, want %v", name, got, c.pause)
		}
	}
	p, now := newPacing(), time.Now()
	for range 60 * 10 {
		now = now.Add(100 * time.Millisecond)
		p.noteTurn(10_000, now)
	}
	p.noteTurn(10_000, now.Add(time.Minute))
	if p.most != mostRest {
		t.Errorf("the next backlog begins with pauses of at most %v turns, want %v", p.most, mostRest)
	}
}
