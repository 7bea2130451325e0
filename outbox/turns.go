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
// half of the claimers are kept free of them while others are active.
func (s *schedule) next(ctx context.Context) (l *lane, behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ctx.Err() == nil {
		if queue := s.queues[others]; len(queue) > 0 {
			s.queues[others] = queue[1:]
			return queue[0], false
		}
		queue, now := s.queues[backlog], time.Now()
		if len(queue) > 0 && (s.turns < max(s.claimers/2, 1) || !s.othersAreActive(now)) {
			l = slices.MinFunc(queue, func(a, b *lane) int { return a.turn.Compare(b.turn) })
			s.queues[backlog] = slices.DeleteFunc(queue, func(o *lane) bool { return o == l })
			s.turns++
			l.turn = now
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

// endTurn ends the turn of a lane's deferred tenants.
func (s *schedule) endTurn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns--
	s.changed.Broadcast()
}

// shorter returns the size of the claims that may delay tenants that are not deferred, in their
// lane and by taking the time of the servers.
func shorter(batch int) int { return max(batch/10, 1) }

// activeFor is for how long after they were last served others count as active.
const activeFor = 2 * time.Second

func (s *schedule) othersAreActive(now time.Time) bool { return now.Sub(s.heard) < activeFor }

// backlogLimit returns how many activities of deferred tenants to claim, at most limit.
func (s *schedule) backlogLimit(limit int, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.othersAreActive(now) {
		return shorter(limit)
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
