package outbox

import (
	"slices"
	"sync"
	"time"
)

// lane is what a worker remembers of one lane. The probe or claimer that has taken it owns every
// field until it returns the lane to the schedule.
type lane struct {
	number int
	hints  hints
	failure
	notBefore time.Time // not claimed before
	sweepAt   time.Time // when the next claim ignores the hints
	served    time.Time // when it was last claimed
	taken     bool
}

// schedule assigns lanes to probes and claimers: each lane to one owner at a time, and no lane
// before its notBefore.
type schedule struct {
	mu          sync.Mutex
	lanes       [Lanes]*lane
	ready       chan *lane // taken lanes with work, in order; it has room for all lanes, so a send never blocks
	lastSuccess time.Time  // when a batch of any lane last committed
	outage      bool       // the last failure was ErrUnavailable, and no batch has committed since
	sweepEvery  time.Duration
}

// newSchedule spreads the sweeps over their period. The first claim of every lane is full in any
// case: its hints are empty.
func newSchedule(now time.Time, sweepEvery time.Duration) *schedule {
	s := &schedule{ready: make(chan *lane, Lanes), sweepEvery: sweepEvery}
	for i := range s.lanes {
		s.lanes[i] = &lane{number: i, sweepAt: now.Add(sweepEvery * time.Duration(i+1) / Lanes)}
	}
	return s
}

// takeIdle takes, for a probe, every lane that has no owner and need not wait.
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

// giveBack ends a probe. It passes the lanes that have work, or are due for a sweep, to the
// claimers, least recently served first.
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

// succeeded gives a lane back after a claim that committed or found no rows; more reports that rows
// are left. After a delivery no lane waits for the end of an outage any longer. It reports whether
// the delivery ends an outage.
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

// backoff describes the wait after a failed claim.
type backoff struct {
	failures    int           // of the lane in a row
	wait        time.Duration // until the next attempt
	knownOutage bool          // another lane has failed for the same outage before
}

// failed gives a lane back after a claim that was rolled back.
func (s *schedule) failed(l *lane, err error, size int, r Retries, now time.Time) backoff {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.served = now
	since := l.since
	if l.count == 0 {
		since = now
	}
	l.failure = l.next(err, size, s.lastSuccess.After(since), now)
	b := backoff{failures: l.count, wait: r.wait(l.count, randomJitter), knownOutage: s.outage && l.unavailable}
	s.outage = l.unavailable
	l.notBefore = now.Add(b.wait)
	l.taken = false
	return b
}

// postpone gives back a lane that another worker holds.
func (s *schedule) postpone(l *lane, now time.Time, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.served = now
	l.notBefore = now.Add(pause)
	l.taken = false
}
