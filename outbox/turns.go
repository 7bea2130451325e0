package outbox

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// queue queues a lane that has work.
func (s *schedule) queue(l *lane, ofOthers bool) {
	p := others
	if !ofOthers {
		p = backlog
	}
	s.queues[p] = append(s.queues[p], l)
}

// next waits for the next lane to claim; nil once ctx has ended. behind reports that it is the turn
// of the lane's deferred tenants. Their turns are those of the lanes that have waited longest, and
// they are paced while others are active.
func (s *schedule) next(ctx context.Context) (l *lane, behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ctx.Err() == nil {
		if queue := s.queues[others]; len(queue) > 0 {
			s.queues[others] = queue[1:]
			l = queue[0]
			l.beside, l.begun, l.missed = s.turns > 0, s.begun, false
			return l, false
		}
		queue, now := s.queues[backlog], time.Now()
		if len(queue) > 0 && s.mayBegin(s.heard, now) {
			l = slices.MinFunc(queue, func(a, b *lane) int { return a.turn.Compare(b.turn) })
			s.queues[backlog] = slices.DeleteFunc(queue, func(o *lane) bool { return o == l })
			s.beginTurn()
			l.turn, l.missed = now, false
			return l, true
		}
		s.changed.Wait()
	}
	return nil, false
}

// wake makes every next return whose context has ended.
func (s *schedule) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

// nextStep waits until a step of a fan-out job may begin; false once ctx has ended. short reports
// that others are active.
func (s *schedule) nextStep(ctx context.Context) (short, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ctx.Err() == nil {
		if now := time.Now(); s.mayBegin(s.served, now) {
			s.beginTurn()
			return active(s.served, now), true
		}
		s.changed.Wait()
	}
	return false, false
}

// mayBegin reports whether a background turn may begin: the claim of a lane's deferred tenants, or
// the step of a fan-out job. heard is when others were last served.
func (s *schedule) mayBegin(heard, now time.Time) bool {
	return !active(heard, now) || s.pacing.admits(s.turns, max(s.claimers/2, 1)) && !now.Before(s.resume)
}

func (s *schedule) beginTurn() {
	s.turns++
	s.begun++
}

// endTurn ends a background turn that took some time.
func (s *schedule) endTurn(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns--
	if pause := s.pacing.pause(took); pause > 0 {
		s.resume = time.Now().Add(pause)
		time.AfterFunc(pause, s.wake)
	}
	s.changed.Broadcast()
}

// rest returns the pause that is to follow a step that has taken some time so far; 0 while no
// others are active.
func (s *schedule) rest(took time.Duration, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !active(s.served, now) {
		return 0
	}
	return s.pacing.pause(took)
}

// shorter returns the size of the claims that may delay tenants that are not deferred, in their
// lane and by taking the time of the servers.
func shorter(batch int) int { return max(batch/10, 1) }

// turn returns the size of a background turn beside others: what arrives meanwhile waits for it.
func turn(batch int) int { return max(batch/40, 1) }

// activeFor is for how long after they were last served others count as active.
const activeFor = 2 * time.Second

func active(heard, now time.Time) bool { return now.Sub(heard) < activeFor }

// backlogLimit returns how many activities of deferred tenants to claim, at most limit.
func (s *schedule) backlogLimit(limit int, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if active(s.heard, now) {
		return turn(limit)
	}
	return limit
}

// noteClaim adds the tenants with a surge, and when others were active while tenants are deferred.
func (s *schedule) noteClaim(c claimed, enough int, deferred bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range parts {
		s.surges.note(c, p, enough, now)
	}
	if deferred && !c.cut[others] && slices.ContainsFunc(c.items, func(item Item) bool {
		return !item.parked && item.part == others
	}) {
		s.heard = now
	}
}

// surgingTenants returns the tenants whose activities are to be deferred.
func (s *schedule) surgingTenants(now time.Time) []uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.surges.tenants(now)
}
