// Package outboxlog replays and discards dead letters, and records each change in the activity log
// in the same transaction.
package outboxlog

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
)

// MaxLimit is the maximum number of dead letters that one change takes.
const MaxLimit = 1000

// MaxRemaining is the number up to which the dead letters that remain are counted.
const MaxRemaining = 100_000

// Change selects dead letters of a tenant to replay or to discard.
type Change struct {
	Tenant    uuid.UUID
	Filter    outbox.DeadFilter
	Limit     int       // the maximum number of dead letters, 1 to MaxLimit; the oldest are taken first
	By        uuid.UUID // the actor of what is recorded
	UserAgent string
}

// Changed is the result of a Change.
type Changed struct {
	Count     int64 // the number of dead letters that were replayed or discarded
	Remaining int64 // the number of dead letters left that the filter selects, at most MaxRemaining
	// Until is the filter's Until, or the time of the change. A caller that repeats a change sets
	// it in the filter, so that a replayed activity that dies again is not replayed again.
	Until time.Time
}

// Replay returns dead letters to the outbox, as outbox.Replay does. It records the change as
// outbox.replayed, unless nothing was replayed.
func Replay(ctx context.Context, db pg.Beginner, c Change) (Changed, error) {
	return c.apply(ctx, db, outbox.Replay, func(count int) activity.Envelope {
		return builtin.OutboxReplayed{Count: count, Filter: recorded(c.Filter)}.On(c.Tenant, c.Tenant)
	})
}

// Discard removes dead letters, as outbox.Discard does. It records the change as outbox.discarded,
// unless nothing was discarded.
func Discard(ctx context.Context, db pg.Beginner, c Change) (Changed, error) {
	return c.apply(ctx, db, outbox.Discard, func(count int) activity.Envelope {
		filter := builtin.OutboxDiscardedFilter(recorded(c.Filter))
		return builtin.OutboxDiscarded{Count: count, Filter: filter}.On(c.Tenant, c.Tenant)
	})
}

// validate returns an *invalid.Error that names every field which violates a rule, or nil.
func (c Change) validate() error {
	if err := c.Filter.Validate(); err != nil {
		return err
	}
	if c.Limit < 1 || c.Limit > MaxLimit {
		return &invalid.Error{Subject: "change", Fields: []invalid.Field{
			{Name: "limit", Value: fmt.Sprint(c.Limit), Rule: fmt.Sprintf("must be 1 to %d", MaxLimit)},
		}}
	}
	return nil
}

func (c Change) apply(
	ctx context.Context,
	db pg.Beginner,
	take func(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, f outbox.DeadFilter, limit int) (int64, error),
	envelope func(count int) activity.Envelope,
) (done Changed, err error) {
	if err := c.validate(); err != nil {
		return Changed{}, err
	}
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		filter := c.Filter
		if filter.Until.IsZero() {
			if err := tx.QueryRow(ctx, `SELECT now()`).Scan(&filter.Until); err != nil {
				return err
			}
		}
		done.Until = filter.Until.UTC()
		if done.Count, err = take(ctx, tx, c.Tenant, filter, c.Limit); err != nil {
			return err
		}
		if done.Remaining, err = outbox.CountDead(ctx, tx, c.Tenant, filter, MaxRemaining); err != nil {
			return err
		}
		if done.Count == 0 {
			return nil
		}
		e := envelope(int(done.Count))
		e.ActorPrincipalID, e.UserAgent = c.By, c.UserAgent
		_, err = outbox.Record(ctx, tx, e)
		return err
	})
	if err != nil {
		return Changed{}, fmt.Errorf("change the dead letters of tenant %s: %w", c.Tenant, err)
	}
	return done, nil
}

func recorded(f outbox.DeadFilter) builtin.OutboxReplayedFilter {
	return builtin.OutboxReplayedFilter{
		ActivityID:   f.ActivityID,
		Error:        f.Error,
		ErrorKind:    f.ErrorKind,
		Action:       f.Action,
		ResourceType: f.ResourceType,
		Resource:     f.Resource,
		Since:        f.Since,
		Until:        f.Until,
	}
}
