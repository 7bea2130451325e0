package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/churn"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
	"github.com/fanfarehq/fanfare/outbox"
)

// journal keeps when what was changed, committed and settled.
type journal struct {
	db    *stack.Database
	world *churn.World
	pool  *pgxpool.Pool // for changes and looks, which must not wait for writers

	changes []tenantChanges // for each tenant; of change alone until it has returned
	kinds   map[string]int

	mu       sync.Mutex
	pending  map[uuid.UUID]*sending
	sendings []*sending
}

type tenantChanges []oracle.Change

// sending is an activity that was committed.
type sending struct {
	oracle.Sending
	tenantID uuid.UUID
	tenant   int // its number
	commit
}

func newJournal(ctx context.Context, db *stack.Database, world *churn.World) (*journal, error) {
	pool, err := db.NewPool(ctx, 3)
	if err != nil {
		return nil, err
	}
	return &journal{
		db: db, world: world, pool: pool, changes: make([]tenantChanges, len(world.Tenants)), kinds: map[string]int{},
		pending: map[uuid.UUID]*sending{},
	}, nil
}

func (j *journal) close() { j.pool.Close() }

// committed notes an activity; it is a writer's note.
func (j *journal) committed(r outbox.Recorded, c commit) {
	s := &sending{commit: c, tenantID: r.TenantID, Sending: oracle.Sending{Committed: c.sent, Activity: oracle.Activity{
		ID: r.ID, Resource: r.ResourceID, Actor: r.ActorPrincipalID, Target: r.TargetPrincipalID, Owner: r.OwnerID, Parent: r.ParentID,
		Action: r.Action, Visibility: string(r.Visibility),
	}}}
	for i, t := range j.world.Tenants {
		if t.ID == r.TenantID {
			s.tenant = i
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending[r.ID] = s
	j.sendings = append(j.sendings, s)
}

// change makes one change after the other until settled is closed.
func (j *journal) change(ctx context.Context, o *churnOptions, settled <-chan struct{}) error {
	if o.changes <= 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(o.seed, 103))
	began := time.Now()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-settled:
			return nil
		case <-time.After(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(o.changes)))):
		}
		tenant := random.IntN(len(j.world.Tenants))
		c := j.world.Tenants[tenant].Next(random)
		made := oracle.Change{Sent: time.Now(), Apply: c.Apply}
		tag, err := j.pool.Exec(ctx, c.SQL, c.Args...)
		made.Returned = time.Now()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("change of %s: %w", c.Kind, err)
		case tag.RowsAffected() != 1:
			return fmt.Errorf(
				"change of %s: %d rows instead of one: the model is not what the database is",
				c.Kind,
				tag.RowsAffected(),
			)
		}
		j.changes[tenant] = append(j.changes[tenant], made)
		j.kinds[c.Kind]++
	}
}

// watch looks, again and again, at what is pending, for all activities at once, until over is
// closed and nothing is.
func (j *journal) watch(ctx context.Context, over <-chan struct{}) error {
	const (
		between = 5 * time.Millisecond
		limit   = time.Minute // after the last activity
	)
	var deadline time.Time
	for {
		if deadline.IsZero() {
			select {
			case <-over:
				deadline = time.Now().Add(limit)
			default:
			}
		}
		left, err := j.look(ctx)
		switch {
		case err != nil:
			return err
		case left == 0 && !deadline.IsZero():
			return nil
		case !deadline.IsZero() && time.Now().After(deadline):
			return fmt.Errorf("%d activities are still pending after %v", left, limit)
		}
		time.Sleep(between)
	}
}

// look settles what is gone from the tables of what is pending, and returns how many activities are
// left.
func (j *journal) look(ctx context.Context) (left int, err error) {
	j.mu.Lock()
	gone := maps.Clone(j.pending) // committed before the look: what it does not show is gone
	j.mu.Unlock()
	if len(gone) == 0 {
		return 0, nil
	}
	rows, err := j.pool.Query(ctx, `
		SELECT activity_id FROM fanfare.outbox
		UNION ALL SELECT activity_id FROM fanfare.parked
		UNION ALL SELECT activity_id FROM fanfare.fan_out_jobs`)
	if err != nil {
		return 0, err
	}
	var id uuid.UUID
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { delete(gone, id); return nil }); err != nil {
		return 0, err
	}
	now := time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	for id, s := range gone {
		s.Settled = now
		delete(j.pending, id)
	}
	return len(j.pending), nil
}

// judge asks the oracle, which starts from the world as it was at first.
func (j *journal) judge(first *churn.World) *judgement {
	found := &judgement{verdicts: map[uuid.UUID]oracle.Verdict{}, atFirst: map[uuid.UUID]map[uuid.UUID]oracle.Told{}}
	for i, t := range first.Tenants {
		var list []oracle.Sending
		for _, s := range j.sendings {
			if s.tenant == i {
				list = append(list, s.Sending)
				found.atFirst[s.ID] = t.Model.Told(s.Activity)
			}
		}
		maps.Copy(found.verdicts, oracle.Judge(t.Model, j.changes[i], list))
	}
	return found
}

// judgement is what the oracle says.
type judgement struct {
	verdicts map[uuid.UUID]oracle.Verdict
	atFirst  map[uuid.UUID]map[uuid.UUID]oracle.Told // what it would have said had nothing changed
}
