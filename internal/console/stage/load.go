package stage

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// maxRate is the maximum number of activities a second of a load.
const maxRate = 2000

// load records activities in a world until it is stopped.
type load struct {
	recorded atomic.Int64
	cancel   context.CancelFunc
	done     chan error // receives one error
}

// StartLoad records copies of the envelopes in turn, perSecond of them a second, until StopLoad. It
// replaces the load of the tenant.
func (s *Stage) StartLoad(ctx context.Context, tenant uuid.UUID, envelopes []Envelope, perSecond int) error {
	if perSecond < 1 || perSecond > maxRate || len(envelopes) == 0 {
		return fmt.Errorf("a load needs envelopes and 1 to %d activities a second, not %d", maxRate, perSecond)
	}
	if _, err := s.StopLoad(tenant); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &load{cancel: cancel, done: make(chan error, 1)}
	s.mu.Lock()
	s.loads[tenant.String()] = l
	s.mu.Unlock()
	go func() { l.done <- s.recordAtRate(ctx, l, envelopes, perSecond) }()
	return nil
}

// recordAtRate records what is due twenty times a second, so that the rate holds when a transaction
// is late.
func (s *Stage) recordAtRate(ctx context.Context, l *load, envelopes []Envelope, perSecond int) error {
	started := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		recorded := l.recorded.Load()
		due := int64(time.Since(started).Seconds()*float64(perSecond)) - recorded
		batch := make([]Envelope, 0, recordBatch)
		for n := range min(due, recordBatch) {
			batch = append(batch, envelopes[(recorded+n)%int64(len(envelopes))])
		}
		ids, err := s.Record(ctx, batch, false)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		l.recorded.Add(int64(len(ids)))
	}
}

// Recorded returns the number of activities that the load of a tenant has recorded.
func (s *Stage) Recorded(tenant uuid.UUID) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.loads[tenant.String()]; l != nil {
		return l.recorded.Load()
	}
	return 0
}

// StopLoad stops the load of a tenant and returns the number of activities that it has recorded.
func (s *Stage) StopLoad(tenant uuid.UUID) (int64, error) {
	s.mu.Lock()
	l := s.loads[tenant.String()]
	delete(s.loads, tenant.String())
	s.mu.Unlock()
	if l == nil {
		return 0, nil
	}
	l.cancel()
	err := <-l.done
	return l.recorded.Load(), err
}

func (s *Stage) stopLoads() {
	s.mu.Lock()
	loads := s.loads
	s.loads = map[string]*load{}
	s.mu.Unlock()
	for _, l := range loads {
		l.cancel()
		<-l.done
	}
}
