package outbox

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// newTurns returns a schedule of four claimers with lanes that wait for a turn of their deferred
// tenants.
func newTurns(waiting int) *schedule {
	s := newSchedule(time.Now(), time.Minute, 4)
	for _, l := range s.lanes[:waiting] {
		l.taken = true
		s.queue(l, false)
	}
	return s
}

// serveOther serves an activity of a tenant that is not deferred.
func (s *schedule) serveOther() {
	item := Item{part: others}
	item.TenantID = uuid.New()
	s.noteClaim(claimed{items: []Item{item}}, 100, true, time.Now())
	l := s.lanes[Lanes-1]
	s.succeeded(l, result{delivered: true, settled: true, claimed: 1, took: time.Millisecond}, 500, time.Now())
}

// turnAfter returns when the next turn begins.
func turnAfter(ctx context.Context, s *schedule) time.Duration {
	began := time.Now()
	s.next(ctx)
	return time.Since(began)
}

// TestTurnsAreNotPacedAlone begins a turn for each claimer at once.
func TestTurnsAreNotPacedAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTurns(5)
		for range 4 {
			if got := turnAfter(t.Context(), s); got != 0 {
				t.Errorf("got a turn after %v, want none to wait", got)
			}
		}
		s.endTurn(time.Second)
		if got := turnAfter(t.Context(), s); got != 0 {
			t.Errorf("got a turn after %v, want no pause", got)
		}
	})
}

// TestTurnsPauseForOthers begins one turn at a time, and pauses after it while others are active.
func TestTurnsPauseForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const took = 20 * time.Millisecond
		s := newTurns(4)
		s.serveOther()
		if got := turnAfter(t.Context(), s); got != 0 {
			t.Errorf("got the first turn after %v, want none", got)
		}
		time.AfterFunc(took, func() { s.endTurn(took) })
		if got := turnAfter(t.Context(), s); got != 2*took {
			t.Errorf("got the second turn after %v, want %v: the first turn, and a pause as long", got, 2*took)
		}
		s.serveOther()
		s.endTurn(time.Hour)
		if got := turnAfter(t.Context(), s); got != longestRest {
			t.Errorf("got the third turn after %v, want %v", got, longestRest)
		}
	})
}

// TestTurnsAndStepsAlternate runs a step of a fan-out job beside a surge: one of them at a time.
func TestTurnsAndStepsAlternate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const took = 20 * time.Millisecond
		s := newTurns(1)
		s.serveOther()
		s.next(t.Context())
		time.AfterFunc(took, func() { s.endTurn(took) })
		began := time.Now()
		short, ok := s.nextStep(t.Context())
		if got := time.Since(began); got != 2*took || !short || !ok {
			t.Errorf("got a step after %v, short %v, %v; want a short one after %v", got, short, ok, 2*took)
		}
	})
}

// TestStepsAlone are neither short nor do they wait, until activities of lanes are delivered.
func TestStepsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTurns(0)
		for _, c := range []struct {
			before func()
			short  bool
			after  time.Duration
		}{
			{func() {}, false, 0},
			{func() { s.endTurn(50 * time.Millisecond) }, false, 0},
			{func() { s.serveOther(); s.endTurn(50 * time.Millisecond) }, true, 50 * time.Millisecond},
			{func() { time.Sleep(activeFor); s.endTurn(50 * time.Millisecond) }, false, 0},
		} {
			c.before()
			began := time.Now()
			short, ok := s.nextStep(t.Context())
			if got := time.Since(began); got != c.after || short != c.short || !ok {
				t.Errorf("got a step after %v, short %v, %v; want after %v, short %v", got, short, ok, c.after, c.short)
			}
		}
	})
}

// TestTurnsEndWithTheContext ends the waits for a turn, a step and a lane.
func TestTurnsEndWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTurns(2)
		s.serveOther()
		s.next(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		context.AfterFunc(ctx, s.wake)
		time.AfterFunc(time.Millisecond, cancel)
		if _, ok := s.nextStep(ctx); ok {
			t.Error("got a step, want none")
		}
		if l, _ := s.next(ctx); l != nil {
			t.Errorf("got lane %d, want none", l.number)
		}
	})
}

// TestClaimsBesideTurns tells claims of others beside a turn from those apart.
func TestClaimsBesideTurns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, meanwhile func(s *schedule)
		beside            bool
	}{
		"no turn":            {nil, nil, false},
		"it ran before":      {func(s *schedule) { s.beginTurn(); s.endTurn(0) }, nil, false},
		"it runs":            {(*schedule).beginTurn, nil, true},
		"it ends meanwhile":  {(*schedule).beginTurn, func(s *schedule) { s.endTurn(0) }, true},
		"it runs meanwhile":  {nil, func(s *schedule) { s.beginTurn(); s.endTurn(0) }, true},
		"it begins meantime": {nil, (*schedule).beginTurn, true},
	} {
		s := newTurns(0)
		l := s.lanes[3]
		l.taken = true
		s.queue(l, true)
		if c.before != nil {
			c.before(s)
		}
		s.next(t.Context())
		if c.meanwhile != nil {
			c.meanwhile(s)
		}
		s.succeeded(l, result{delivered: true, settled: true, claimed: 1, took: time.Millisecond}, 500, time.Now())
		if got := s.pacing.beside.n == 1; got != c.beside || s.pacing.beside.n+s.pacing.usual.n != 1 {
			t.Errorf("%s: got a claim beside a turn %v, want %v", name, got, c.beside)
		}
	}
}

// TestProbeDue follows a lane that a claimer serves during a probe: what others record in it
// between the claim and the probe is not missed.
func TestProbeDue(t *testing.T) {
	t.Parallel()
	now := time.Now()
	done := result{delivered: true, settled: true, claimed: 1}
	probe := func(s *schedule, found map[int]workIn, meanwhile func()) {
		targets := s.takeIdle(assignment{}, Lanes, now)
		meanwhile()
		s.giveBack(targets, found, assignment{}, 0, now)
	}
	for name, c := range map[string]struct {
		happens func(s *schedule, l *lane)
		want    bool
	}{
		"the claim ends before": {func(s *schedule, l *lane) {
			s.succeeded(l, done, 500, now)
			probe(s, nil, func() {})
		}, false},
		"the claim ends during a probe": {func(s *schedule, l *lane) {
			probe(s, nil, func() { s.succeeded(l, done, 500, now) })
		}, true},
		"the claim is not over": {func(s *schedule, _ *lane) { probe(s, nil, func() {}) }, false},
		"the claim ends after a probe": {func(s *schedule, l *lane) {
			probe(s, nil, func() {})
			s.succeeded(l, done, 500, now)
		}, true},
		"another claim follows the probe": {func(s *schedule, l *lane) {
			probe(s, nil, func() {})
			s.succeeded(l, result{delivered: true, settled: true, claimed: 1, more: true}, 500, now)
			s.next(t.Context())
			s.succeeded(l, done, 500, now)
		}, false},
		"another session held the lane": {func(s *schedule, l *lane) {
			probe(s, nil, func() {})
			s.postpone(l, now.Add(-time.Second), time.Millisecond)
		}, true},
		"the lane waits": {func(s *schedule, l *lane) {
			probe(s, nil, func() {})
			s.postpone(l, now, time.Second)
		}, false},
	} {
		s := newSchedule(now, time.Minute, 4)
		l := s.lanes[3]
		probe(s, map[int]workIn{3: {others: true}}, func() {})
		s.next(t.Context())
		c.happens(s, l)
		if got := s.probeDue(now); got != c.want {
			t.Errorf("%s: got a probe due %v, want %v", name, got, c.want)
		}
	}
}
