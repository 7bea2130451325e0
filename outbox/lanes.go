package outbox

import (
	"slices"
	"sync"
	"time"
)

// lane is what a worker remembers of one lane. Whoever has taken it (probe or claimer) owns every
// field until it is given back.
type lane struct {
	number int
	hints  hints
	failure
	notBefore time.Time // it waits until then
	sweepAt   time.Time // when it is next claimed without regard to the hints
	served    time.Time // when it was last claimed
	taken     bool
}

// schedule hands lanes out: each to one owner at a time, those that wait not at all.
type schedule struct {
	mu          sync.Mutex
	lanes       [Lanes]*lane
	ready       chan *lane // with work, taken, in the order in which they are to be served; holds all lanes, so sending never blocks
	lastSuccess time.Time  // when any lane's batch last got through
	outage      bool       // the last failure was ErrUnavailable, and nothing has got through since
	sweepEvery  time.Duration
}

// newSchedule spreads the sweeps over their period. The first claim of every lane is a full one all
// the same: its hints are empty.
func newSchedule(now time.Time, sweepEvery time.Duration) *schedule {
	s := &schedule{ready: make(chan *lane, Lanes), sweepEvery: sweepEvery}
	for i := range s.lanes {
		s.lanes[i] = &lane{number: i, sweepAt: now.Add(sweepEvery * time.Duration(i+1) / Lanes)}
	}
	return s
}

// takeIdle takes every lane that nobody has and that need not wait, for a probe.
func (s *schedule) takeIdle(now time.Time) []*lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	var idle []*lane
	for _, l := range s.lanes {
		if !l.taken && !now.Before(l.notBefore) {
			l.taken = true
			idle = append(idle, l)
		}
	}
	return idle
}

// giveBack ends a probe: the lanes that have work, or are due for a sweep, go to the claimers,
// least recently served first.
func (s *schedule) giveBack(probed []*lane, hasWork map[int]bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(probed, func(a, b *lane) int { return a.served.Compare(b.served) })
	for _, l := range probed {
		if hasWork[l.number] || !now.Before(l.sweepAt) {
			s.ready <- l
		} else {
			l.taken = false
		}
	}
}

// succeeded gives a lane back after a claim that committed or found nothing; more: it has more
// work. A success ends the waiting of lanes that wait for what had been unavailable. It reports
// whether that ends an outage.
func (s *schedule) succeeded(l *lane, delivered, more bool, full int, now time.Time) (over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.served = now
	if delivered {
		over, s.outage = s.outage, false
		l.failure = l.recovered(full)
		s.lastSuccess = now
		for _, other := range s.lanes {
			if !other.taken && other.unavailable {
				other.notBefore = time.Time{}
			}
		}
	}
	if more {
		s.ready <- l
		return over
	}
	l.taken = false
	return over
}

// setback is what a failed claim means: how often its lane has failed in a row, when it is tried
// again, and whether this is only one more lane of an outage that is known.
type setback struct {
	failures int
	wait     time.Duration
	known    bool
}

// failed gives a lane back after a claim that was rolled back.
func (s *schedule) failed(l *lane, err error, size int, r Retries, now time.Time) setback {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.served = now
	since := l.since
	if l.count == 0 {
		since = now
	}
	l.failure = l.next(err, size, s.lastSuccess.After(since), now)
	b := setback{failures: l.count, wait: r.wait(l.count, randomJitter), known: s.outage && l.unavailable}
	s.outage = l.unavailable
	l.notBefore = now.Add(b.wait)
	l.taken = false
	return b
}

// leave gives a lane back that another worker holds.
func (s *schedule) leave(l *lane, now time.Time, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.served = now
	l.notBefore = now.Add(pause)
	l.taken = false
}
