package standby

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// Options configure Standbys.
type Options struct {
	Primary  *pgxpool.Pool
	Standbys []*pgxpool.Pool
	MaxLag   time.Duration // the maximum age of what a read shows; default 1 s
	Logger   *zap.Logger
}

// Standbys are the standbys of one primary server. Without any, every read goes to the primary. Its
// methods are safe for concurrent use.
type Standbys struct {
	primary  *pgxpool.Pool
	maxLag   time.Duration
	log      *zap.Logger
	wanted   chan struct{} // a write waits for a look
	mu       sync.Mutex
	looked   chan struct{} // closed, and replaced, after each look
	replicas []*replica
	marks    []mark // the oldest first
	next     int    // of replicas, for the next read
}

// New returns the standbys of a primary; Run must be called for them to be used.
func New(o Options) *Standbys {
	s := &Standbys{
		primary: o.Primary, maxLag: cmp.Or(o.MaxLag, time.Second), log: cmp.Or(o.Logger, zap.NewNop()),
		wanted: make(chan struct{}, 1), looked: make(chan struct{}),
	}
	for _, pool := range o.Standbys {
		s.replicas = append(s.replicas, &replica{pool: pool, name: Name(pool), logged: notLookedAt})
	}
	return s
}

// Pool returns where to read: a standby that lags by at most the maximum, or else the primary.
// Successive calls return the standbys in turn.
func (s *Standbys) Pool() *pgxpool.Pool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.replicas {
		r := s.replicas[s.next%len(s.replicas)]
		s.next++
		if r.usable(now, s.maxLag) {
			return r.pool
		}
	}
	return s.primary
}

// Read calls f with a pool to read from. If a standby cannot serve the read, it calls f once more
// with the primary.
func Read[T any](ctx context.Context, s *Standbys, f func(pool *pgxpool.Pool) (T, error)) (T, error) {
	pool := s.Pool()
	result, err := f(pool)
	if err == nil || pool == s.primary || ctx.Err() != nil || !pg.Unavailable(err) && !pg.Stale(err) {
		return result, err
	}
	s.log.Debug("a standby could not serve a read, which the primary serves", zap.Error(err))
	return f(s.primary)
}

// Settle returns when what was committed before the call is visible to every read of every process,
// or when ctx ends. It takes at most the maximum lag.
func (s *Standbys) Settle(ctx context.Context) {
	if len(s.replicas) == 0 {
		return
	}
	t := time.Now()
	limit := time.NewTimer(s.maxLag)
	defer limit.Stop()
	for {
		settled, looked := s.settled(t)
		if settled {
			return
		}
		select {
		case s.wanted <- struct{}{}:
		default:
		}
		select {
		case <-looked:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// settled reports whether no standby needs a wait for what was committed before t. looked is closed
// after the next look.
func (s *Standbys) settled(t time.Time) (settled bool, looked <-chan struct{}) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replicas {
		if !r.needsNoWait(t, now, s.maxLag) {
			return false, s.looked
		}
	}
	return true, s.looked
}

// Run looks at the primary and the standbys until ctx ends: several times in the maximum lag, and
// as soon as a write waits.
func (s *Standbys) Run(ctx context.Context) {
	if len(s.replicas) == 0 {
		return
	}
	tick := time.NewTicker(max(s.maxLag/8, time.Millisecond))
	defer tick.Stop()
	for {
		s.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.wanted:
		}
	}
}

// look reads the position of the primary, and then those of the standbys.
func (s *Standbys) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, max(s.maxLag, 100*time.Millisecond))
	defer cancel()
	at := time.Now() // before the primary answers: what was committed before is below its position
	lsn, cluster, err := position(ctx, s.primary)
	if err == nil {
		s.addMark(mark{at, lsn})
		var each sync.WaitGroup
		for _, r := range s.replicas {
			each.Go(func() { s.ask(ctx, r, cluster) })
		}
		each.Wait()
	} else if ctx.Err() == nil {
		s.unknown(fmt.Errorf("the position of the primary is not known: %w", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.looked)
	s.looked = make(chan struct{})
}

// unknown notes why it is not known how far the standbys are.
func (s *Standbys) unknown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replicas {
		r.failed(err)
		s.say(r)
	}
}

// addMark adds a position of the primary, and drops those that are too old to matter.
func (s *Standbys) addMark(m mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, m)
	for m.at.Sub(s.marks[0].at) > s.maxLag {
		s.marks = s.marks[1:]
	}
}

// ask reads how far a standby is.
func (s *Standbys) ask(ctx context.Context, r *replica, cluster int64) {
	lsn, err := replayedBy(ctx, r.pool, cluster)
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		r.failed(err)
	} else if r.replayed(lsn, s.marks, now); !r.usable(now, s.maxLag) {
		r.problem = ErrBehind
	}
	s.say(r)
}

// notLookedAt is what the log says of a standby before the first look: nothing.
const notLookedAt = "not looked at"

// say says in the log when a standby becomes unusable, for another reason, or usable again.
func (s *Standbys) say(r *replica) {
	problem := ""
	if r.problem != nil {
		problem = r.problem.Error()
	}
	if problem == r.logged {
		return
	}
	wasUsed := r.logged == ""
	r.logged = problem
	switch {
	case problem == "":
		s.log.Info("reads go to the standby", zap.String("standby", r.name))
	case wasUsed || !errors.Is(r.problem, context.DeadlineExceeded):
		s.log.Warn("reads do not go to the standby", zap.String("standby", r.name), zap.Error(r.problem),
			zap.Duration("max_lag", s.maxLag))
	}
}

// State is what is known of a standby.
type State struct {
	Name    string        // its host and port
	Usable  bool          // reads go to it
	Lag     time.Duration // at most; 0 if it is not known
	Problem error         // why reads do not go to it
}

// States returns the state of each standby, in the order of the options.
func (s *Standbys) States() []State {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make([]State, len(s.replicas))
	for i, r := range s.replicas {
		states[i] = State{Name: r.name, Usable: r.usable(now, s.maxLag), Problem: r.problem}
		if !r.shows.IsZero() {
			states[i].Lag = now.Sub(r.shows)
		}
	}
	return states
}
