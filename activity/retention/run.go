package retention

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// stepTimeouts bounds a step that removes rows.
const stepTimeouts = `
	SELECT set_config('lock_timeout', '5s', true),
		set_config('statement_timeout', '60s', true),
		set_config('idle_in_transaction_session_timeout', '60s', true)`

const (
	maxPause    = time.Second      // between two steps
	logInterval = 10 * time.Second // between two log messages about the progress of a run
	maxFailures = 5                // consecutive failures of a step
)

// run is the state of one run.
type run struct {
	*Runner
	Report
	only     uuid.UUID // the only tenant; uuid.Nil for every tenant
	progress func(Report)
	loggedAt time.Time
}

// removeExpired removes the expired rows. The order leaves nothing inconsistent at whatever step
// the run ends: rows that refer to activities are removed before them.
func (r *run) removeExpired(ctx context.Context) error {
	if err := r.recordPurged(ctx); err != nil {
		return err
	}
	if err := r.parked(ctx); err != nil {
		return err
	}
	err := r.eachTenant(ctx, func(t dueTenant) error {
		r.Tenants++
		if t.measure {
			if err := r.step(ctx, `SELECT fanfare.retention_measure($1)`, []any{t.id}, nil); err != nil {
				return fmt.Errorf("measure: %w", err)
			}
			// The measurement may have made more rows due.
			t.inbox, t.keys = true, true
		}
		if t.expired {
			if err := r.lettersAndTokens(ctx, t.id); err != nil {
				return err
			}
		}
		if t.inbox {
			if err := r.notifications(ctx, t.id); err != nil {
				return err
			}
		}
		if t.keys {
			return r.idempotencyKeys(ctx, t.id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.only == uuid.Nil {
		if err := r.dropPartitions(ctx); err != nil {
			return err
		}
	}
	return r.eachTenant(ctx, func(t dueTenant) error {
		if !t.due {
			return nil
		}
		return r.activities(ctx, t.id)
	})
}

func (r *run) eachTenant(ctx context.Context, do func(t dueTenant) error) error {
	return eachTenant(ctx, r.pool, r.only, do)
}

func (r *run) parked(ctx context.Context) error {
	return r.inBatches(ctx, "parked activities", func(batch int) (Counts, bool, error) {
		var moved int64
		err := r.step(ctx, `SELECT fanfare.purge_parked($1, $2, $3)`,
			[]any{r.RunID, nullIfNil(r.only), batch}, []any{&moved})
		return Counts{Parked: moved}, moved > 0, err
	})
}

func (r *run) lettersAndTokens(ctx context.Context, tenant uuid.UUID) error {
	return r.inBatches(ctx, "dead letters and service tokens", func(batch int) (Counts, bool, error) {
		var (
			more   bool
			counts Counts
		)
		err := r.step(ctx, `SELECT dead_letters, service_tokens, more FROM fanfare.purge_expired($1, $2, $3)`,
			[]any{r.RunID, tenant, batch}, []any{&counts.DeadLetters, &counts.ServiceTokens, &more})
		return counts, more, err
	})
}

func (r *run) notifications(ctx context.Context, tenant uuid.UUID) error {
	principal, activityID := &uuid.UUID{}, &uuid.UUID{}
	return r.inBatches(ctx, "notifications", func(batch int) (Counts, bool, error) {
		var (
			counts                      Counts
			nextPrincipal, nextActivity *uuid.UUID
		)
		err := r.step(ctx, `
			SELECT removed, next_principal, next_activity
			FROM fanfare.purge_notifications($1, $2, $3, $4, $5)`,
			[]any{r.RunID, tenant, principal, activityID, batch},
			[]any{&counts.Notifications, &nextPrincipal, &nextActivity})
		if err == nil && nextPrincipal != nil {
			principal, activityID = nextPrincipal, nextActivity
		}
		return counts, nextPrincipal != nil, err
	})
}

func (r *run) idempotencyKeys(ctx context.Context, tenant uuid.UUID) error {
	return r.inBatches(ctx, "idempotency keys", func(batch int) (Counts, bool, error) {
		var (
			more   bool
			counts Counts
		)
		err := r.step(ctx, `SELECT removed, more FROM fanfare.purge_keys($1, $2, $3)`,
			[]any{r.RunID, tenant, batch}, []any{&counts.IdempotencyKeys, &more})
		return counts, more, err
	})
}

func (r *run) activities(ctx context.Context, tenant uuid.UUID) error {
	after := &uuid.UUID{}
	return r.inBatches(ctx, "activities", func(batch int) (Counts, bool, error) {
		var (
			counts Counts
			next   *uuid.UUID
		)
		err := r.step(ctx, `SELECT removed, keys, next FROM fanfare.purge_activities($1, $2, $3, $4)`,
			[]any{r.RunID, tenant, after, batch}, []any{&counts.Activities, &counts.IdempotencyKeys, &next})
		if err == nil && next != nil {
			after = next
		}
		return counts, next != nil, err
	})
}

// inBatches runs a step until it reports that there are no more rows. It pauses after each step for
// as long as the step took, maxPause at most, so that writers, replicas and vacuum keep up on any
// machine. A step that takes too long or conflicts with other transactions is repeated with half
// the batch.
func (r *run) inBatches(ctx context.Context, rows string, step func(batch int) (Counts, bool, error)) error {
	batch, failures := r.batch, 0
	for {
		began := time.Now()
		counts, more, err := step(batch)
		if err != nil {
			if failures++; ctx.Err() != nil || failures > maxFailures || !pg.Contended(err) {
				return fmt.Errorf("purge %s: %w", rows, err)
			}
			batch, more = max(batch/2, 1), true
			r.logger.Debug("a retention step was rolled back and is repeated with a smaller batch",
				zap.String("rows", rows), zap.Int("batch", batch), zap.Error(err))
		} else {
			failures = 0
			r.Removed.add(counts)
			r.Batches++
			r.reportProgress(rows)
		}
		if !more {
			return ctx.Err()
		}
		if err := wait.Sleep(ctx, min(time.Since(began), maxPause)); err != nil {
			return err
		}
	}
}

// step runs one statement in a transaction of its own and scans its row into the targets, if there
// are any.
func (r *run) step(ctx context.Context, sql string, args, targets []any) error {
	return pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(stepTimeouts)
		queued := batch.Queue(sql, args...)
		if targets != nil {
			queued.QueryRow(func(row pgx.Row) error { return row.Scan(targets...) })
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

// reportProgress passes the report to the caller after every step, and logs it at logInterval.
func (r *run) reportProgress(rows string) {
	if r.progress != nil {
		r.progress(r.Report)
	}
	if time.Since(r.loggedAt) > logInterval {
		r.loggedAt = time.Now()
		r.logger.Info("retention run in progress",
			zap.String("rows", rows), zap.Any("removed", r.Removed), zap.Int("batches", r.Batches))
	}
}

// actor returns the actor of the context, or the system.
func actor(ctx context.Context) uuid.UUID {
	if principal, ok := activity.ActorFrom(ctx); ok {
		return principal
	}
	return activity.System
}
