package api

import (
	"sync"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// StreamSlots limit the concurrent streams of each principal, of each tenant, and of the process.
// They are safe for concurrent use.
type StreamSlots struct {
	limits Limits

	mu         sync.Mutex
	all        int
	tenants    map[uuid.UUID]int
	principals map[activity.Principal]int
}

// NewStreamSlots returns slots within the limits.
func NewStreamSlots(l Limits) *StreamSlots {
	l = l.withDefaults()
	return &StreamSlots{limits: l, tenants: map[uuid.UUID]int{}, principals: map[activity.Principal]int{}}
}

// take takes a slot. release returns it, once. The error is a *Problem.
func (s *StreamSlots) take(p activity.Principal) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := func(k Kind, whose string) error {
		return newProblem(k).withHeader("Retry-After", "10").
			withDetail("The maximum number of concurrent streams, " + whose + ", is reached.")
	}
	switch {
	case s.principals[p] >= s.limits.StreamsOfPrincipal:
		return nil, full(TooManyRequests, "of the principal")
	case s.tenants[p.TenantID] >= s.limits.StreamsOfTenant:
		return nil, full(TooManyRequests, "of the tenant")
	case s.all >= s.limits.Streams:
		return nil, full(Unavailable, "of the server")
	}
	s.all++
	s.tenants[p.TenantID]++
	s.principals[p]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.tenants[p.TenantID]--; s.tenants[p.TenantID] == 0 {
			delete(s.tenants, p.TenantID)
		}
		if s.principals[p]--; s.principals[p] == 0 {
			delete(s.principals, p)
		}
	}), nil
}
