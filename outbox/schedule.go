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
	memory memory
	failure
	notBefore time.Time // not claimed before
	sweepAt   time.Time // when the next claim ignores the hints
	size      int       // of the next batch of others, after one that was cut; 0: the shorter size
	served    time.Time // when it was last claimed
	turn      time.Time // when its deferred tenants last had their turn
	seen      time.Time // since when probes have found work in it that its worker left; zero: none
	misses    int       // claims in a row that found another session holding it
	missedAt  time.Time // when the first of them happened
	taken     bool
	missed    bool // the latest probe did not include it, or it was given back with work

	// Whether a background turn ran when it was last taken for its others, and how many had begun.
	beside bool
	begun  int
}

// schedule assigns lanes to probes and claimers: each lane to one owner at a time, and no lane
// before its notBefore.
type schedule struct {
	mu         sync.Mutex
	changed    *sync.Cond // on mu: next may return another lane
	lanes      [Lanes]*lane
	first      int            // the lane that the next probe begins with
	queues     [parts][]*lane // taken lanes with work in a part, but none in a part before it
	turns      int            // background turns that run now
	begun      int            // background turns so far
	claimers   int
	surges     surges
	pacing     pacing
	resume     time.Time // no background turn before, while others are active
	served     time.Time // when others than deferred tenants were last served, for the steps
	heard      time.Time // when they were claimed while tenants were deferred, for these
	delivered  time.Time // when an activity was last delivered
	sweepEvery time.Duration
}

// newSchedule spreads the sweeps over their period. The first claim of every lane is full in any
// case: its hints are empty.
func newSchedule(now time.Time, sweepEvery time.Duration, claimers int) *schedule {
	s := &schedule{claimers: claimers, surges: surges{}, pacing: newPacing(), sweepEvery: sweepEvery}
	s.changed = sync.NewCond(&s.mu)
	for i := range s.lanes {
		s.lanes[i] = &lane{number: i, sweepAt: now.Add(sweepEvery * time.Duration(i+1) / Lanes)}
	}
	return s
}

// target is a lane to probe.
type target struct {
	*lane
	memory memory
	queued bool // for its deferred tenants: the probe does not own it, and memory is a copy
	sweep  bool // without the hints: memory is empty
}

// takeIdle takes lanes for a probe: up to limit of those that have no owner and need not wait, in
// turn. It adds those that wait in the queue of the deferred tenants, in which others may have work
// by now. Lanes that are due for a sweep are probed without their hints.
func (s *schedule) takeIdle(a assignment, limit int, now time.Time) (targets []target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.first
	for i := range s.lanes {
		l := s.lanes[(first+i)%Lanes]
		if len(targets) == limit {
			break
		}
		if !l.taken && !now.Before(l.notBefore) {
			s.first = l.number + 1
			l.taken = true
			t := target{lane: l, memory: l.memory}
			if s.sweepIsDue(l, a, now) {
				t.memory, t.sweep = memory{}, true
			}
			targets = append(targets, t)
		}
	}
	for _, l := range s.queues[backlog] {
		copied := memory{deferred: l.memory.deferred}
		copied.hints[others] = l.memory.hints[others].near()
		targets = append(targets, target{lane: l, memory: copied, queued: true})
	}
	return targets
}

// stealAfter is how long a lane with work is left to the worker that it is assigned to.
const stealAfter = 50 * time.Millisecond

// giveBack ends a probe at now; the zero time after an error. It queues the lanes that have work
// for the claimers, least recently served first. Of the lanes that are assigned to other workers it
// queues up to foreign, and those that have had work for some time. It reports whether the probe
// included every lane.
func (s *schedule) giveBack(
	targets []target, found map[int]workIn, a assignment, foreign int, now time.Time,
) (all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	all = s.noteProbe(targets)
	slices.SortFunc(targets, func(a, b target) int { return a.served.Compare(b.served) })
	for _, t := range targets {
		l, work := t.lane, found[t.number]
		if t.queued {
			if i := slices.Index(s.queues[backlog], l); i >= 0 && work[others] {
				s.queues[backlog] = slices.Delete(s.queues[backlog], i, i+1)
				s.queues[others] = append(s.queues[others], l)
			}
			continue
		}
		hasWork := work != (workIn{})
		switch {
		case !hasWork:
			l.seen, l.misses = time.Time{}, 0
		case l.seen.IsZero():
			l.seen = now
		}
		mine := a.owns(l.number) || !l.seen.IsZero() && now.Sub(l.seen) >= stealAfter
		if hasWork && !mine && foreign > 0 {
			mine, foreign = true, foreign-1
		}
		if hasWork && mine {
			s.queue(l, work[others])
			continue
		}
		if t.sweep && !hasWork && !now.IsZero() {
			l.sweepAt = now.Add(s.sweepEvery)
		}
		l.taken = false
	}
	return all
}

// noteProbe notes which lanes a probe did not include. It reports whether that is none.
func (s *schedule) noteProbe(targets []target) (all bool) {
	for _, l := range s.lanes {
		l.missed = true
	}
	for _, t := range targets {
		t.missed = false
	}
	return len(targets) == Lanes
}

// probeDue reports whether a lane that need not wait may have work that was there at the latest
// probe.
func (s *schedule) probeDue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.lanes[:], func(l *lane) bool {
		return !l.taken && l.missed && !now.Before(l.notBefore)
	})
}

// sweepIsDue reports whether a lane is due for a sweep. Its worker sweeps it once in each period;
// the others, whose hints are of less use, once in as many periods as there are workers.
func (s *schedule) sweepIsDue(l *lane, a assignment, now time.Time) bool {
	at := l.sweepAt
	if !a.owns(l.number) {
		at = at.Add(s.sweepEvery * time.Duration(a.count-1))
	}
	return !now.Before(at)
}

// result is the result of a claim that committed or found no rows.
type result struct {
	delivered bool // an activity was delivered
	settled   bool // rows were settled
	claimed   int
	more      bool // rows are left
	backlog   bool // deferred tenants may have rows left

	took time.Duration // by a claim of others; 0: it also read rows of deferred tenants
	left int64         // activities that were recorded after those of deferred tenants; 0: it read none of these
}

// succeeded gives a lane back after a claim. After a delivery no lane waits for the end of an
// outage any longer.
func (s *schedule) succeeded(l *lane, r result, full int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.served, l.seen, l.misses = now, time.Time{}, 0
	if r.settled || !r.more && !r.backlog {
		l.failure = l.recovered(r.delivered, full)
	}
	if r.delivered {
		s.delivered = now
		for _, other := range s.lanes {
			if !other.taken && other.unavailable {
				other.notBefore = time.Time{}
			}
		}
	}
	if r.delivered && !r.more && r.took > 0 {
		s.served = now
		s.pacing.note(r.took, l.beside || s.begun != l.begun, now)
	}
	if r.left > 0 {
		s.pacing.noteTurn(r.left, now)
	}
	if l.size = 0; r.more {
		l.size = min(2*r.claimed, full)
	}
	if r.more || r.backlog {
		s.queue(l, r.more)
		s.changed.Signal()
		return
	}
	l.taken = false
}

// backoff describes the wait after a failed claim.
type backoff struct {
	failures int           // of the lane in a row
	wait     time.Duration // until the next attempt
}

// failed gives a lane back after a claim that was rolled back, or, with partly, that delivered only
// a part of its batch.
func (s *schedule) failed(l *lane, err error, size int, partly bool, r Retries, now time.Time) backoff {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.served, l.seen, l.misses = now, time.Time{}, 0
	if partly {
		s.delivered = now
		l.failure = failure{limit: l.limit, count: 1, began: now, last: now, err: err, unavailable: true}
	} else {
		l.failure = l.next(err, size, s.delivered, now)
	}
	b := backoff{failures: l.count, wait: r.wait(l.count, randomJitter)}
	l.notBefore = now.Add(b.wait)
	l.taken, l.missed = false, true
	return b
}

// longestMiss is the longest pause after claims that found another session holding the lane.
const longestMiss = 200 * time.Millisecond

// postpone gives back a lane that another session holds: for pause, and for twice as long after
// each further miss.
func (s *schedule) postpone(l *lane, now time.Time, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.misses == 0 {
		l.missedAt = now
	}
	l.served, l.seen = now, time.Time{}
	l.notBefore = now.Add(min(pause<<min(l.misses, 10), max(pause, longestMiss)))
	l.misses++
	l.taken, l.missed = false, true
}

// missed reports whether a lane has been held by other sessions for d, at every claim.
func (s *schedule) missed(now time.Time, d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.lanes[:], func(l *lane) bool {
		return l.misses > 0 && now.Sub(l.missedAt) >= d
	})
}

// lastDelivered returns when an activity was last delivered.
func (s *schedule) lastDelivered() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delivered
}

// problem returns the error of a lane that fails, and since when nothing has been delivered
// although it should have been. The error is nil if no lane fails, or if others have delivered
// since.
func (s *schedule) problem() (since time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		if l.failure.err == nil || !l.last.After(s.delivered) {
			continue
		}
		began := l.began
		if began.Before(s.delivered) {
			began = s.delivered
		}
		if err == nil || began.Before(since) {
			since, err = began, l.failure.err
		}
	}
	return since, err
}
