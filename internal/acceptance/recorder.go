package acceptance

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/outbox"
)

// CommitTimes are the moments when a transaction's COMMIT was sent and when it returned.
type CommitTimes struct{ Sent, Returned time.Time }

// Commit is an activity that was committed.
type Commit struct {
	outbox.Recorded
	CommitTimes
	Settled time.Time // when the outbox no longer contained it; zero until then
}

// Recorder keeps what writers committed. It is safe for concurrent use.
type Recorder struct {
	mu         sync.Mutex
	commits    map[uuid.UUID]*Commit
	pending    map[uuid.UUID]*Commit // not settled
	rolledBack int
}

// NewRecorder returns an empty recorder.
func NewRecorder() *Recorder {
	return &Recorder{commits: map[uuid.UUID]*Commit{}, pending: map[uuid.UUID]*Commit{}}
}

// Committed records a committed activity.
func (r *Recorder) Committed(recorded outbox.Recorded, times CommitTimes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &Commit{Recorded: recorded, CommitTimes: times}
	r.commits[recorded.ID], r.pending[recorded.ID] = c, c
}

// RolledBack counts a transaction that was rolled back.
func (r *Recorder) RolledBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rolledBack++
}

// Commits returns the committed activities by their ids.
func (r *Recorder) Commits() map[uuid.UUID]*Commit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.commits)
}

// CommitActivity records an activity in a transaction of its own and commits it.
func CommitActivity(
	ctx context.Context, pool *pgxpool.Pool, envelope activity.Envelope,
) (recorded outbox.Recorded, times CommitTimes, err error) {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return recorded, times, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if recorded, err = outbox.Record(ctx, tx, envelope); err != nil {
		return recorded, times, err
	}
	times.Sent = time.Now()
	err = tx.Commit(ctx)
	times.Returned = time.Now()
	return recorded, times, err
}

// Settle polls the outbox and sets the Settled time of activities that it no longer contains. It
// returns when written is closed and every activity is settled, and fails if that takes longer
// than limit after written was closed.
func (r *Recorder) Settle(ctx context.Context, pool *pgxpool.Pool, written <-chan struct{}, limit time.Duration) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var deadline time.Time
	for {
		if deadline.IsZero() {
			select {
			case <-written:
				deadline = time.Now().Add(limit)
			default:
			}
		}
		left, err := r.poll(ctx, pool)
		switch {
		case err != nil:
			return err
		case left == 0 && !deadline.IsZero():
			return nil
		case !deadline.IsZero() && time.Now().After(deadline):
			return fmt.Errorf("%d activities are pending after %v", left, limit)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// poll reads the outbox once and returns the number of activities that are not settled.
func (r *Recorder) poll(ctx context.Context, pool *pgxpool.Pool) (left int, err error) {
	r.mu.Lock()
	settled := maps.Clone(r.pending) // committed before the query, which therefore finds them unless settled
	r.mu.Unlock()
	if len(settled) == 0 {
		return 0, nil
	}
	rows, err := pool.Query(ctx, `
		SELECT activity_id FROM fanfare.outbox
		UNION ALL SELECT activity_id FROM fanfare.parked
		UNION ALL SELECT activity_id FROM fanfare.fan_out_jobs`)
	if err != nil {
		return 0, err
	}
	pending, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return 0, err
	}
	for _, id := range pending {
		delete(settled, id)
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, c := range settled {
		c.Settled = now
		delete(r.pending, id)
	}
	return len(r.pending), nil
}
