package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// claimJob takes the fan-out job that has waited longest and that nobody works on.
const claimJob = `
SELECT j.lane, j.seq, j.attempts, j.last_principal_id, j.notified, ` + pglog.Columns + `
FROM fanfare.fan_out_jobs AS j
JOIN fanfare.activities AS a ON a.id = j.activity_id AND a.tenant_id = j.tenant_id
WHERE j.retry_at <= clock_timestamp()
ORDER BY j.retry_at
LIMIT 1
FOR UPDATE OF j SKIP LOCKED`

// broadcast works on the fan-out jobs, one step a transaction, until ctx ends.
func (w *Worker) workOnJobs(ctx, work context.Context) {
	pause := w.opts.Poll
	for wait.Sleep(ctx, pause) == nil {
		worked, err := w.step(work)
		switch {
		case err != nil && work.Err() == nil:
			pause = w.opts.Retries.Longest / 10
			w.log.Warn("fan-out jobs cannot be worked on", zap.Error(err), zap.Duration("next_try_in", pause))
		case worked:
			pause = 0
		default:
			pause = min(max(pause*2, w.opts.Poll), 20*w.opts.Poll)
		}
	}
}

// step does one step of one job and reports whether there was one.
func (w *Worker) step(ctx context.Context) (bool, error) {
	began := time.Now()
	tx, err := w.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginClaim})
	if err != nil {
		return false, fmt.Errorf("begin: %w", err)
	}
	defer rollback(ctx, tx)
	job, err := readJob(ctx, tx)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("claim a fan-out job: %w", err)
	}
	report := Report{Lane: job.Lane, Claimed: 1, Step: true}
	defer func() {
		report.Took = time.Since(began)
		if w.opts.Observer != nil {
			w.opts.Observer.Observe(report)
		}
	}()
	done, err := w.handler.Step(ctx, tx, job)
	if err != nil {
		report.Err = err
		rollback(ctx, tx)
		return true, w.postpone(ctx, job, err, &report)
	}
	if report.Err = finishStep(ctx, tx, job, done); report.Err != nil {
		return true, report.Err
	}
	if err := tx.Commit(ctx); err != nil {
		report.Err = fmt.Errorf("commit: %w", err)
		return true, report.Err
	}
	report.Notified = done.Notified
	if done.Done {
		report.Delivered = []time.Time{job.RecordedAt}
	}
	return true, nil
}

func readJob(ctx context.Context, tx pgx.Tx) (Job, error) {
	var job Job
	fields := append(
		[]any{&job.Lane, &job.Seq, &job.Attempts, (*zeronull.UUID)(&job.LastPrincipalID), &job.Notified},
		pglog.ScanTargets(&job.Activity)...)
	return job, tx.QueryRow(ctx, claimJob).Scan(fields...)
}

// finishStep moves the job's cursor. The last step removes the job and lets the activities behind
// it go, which needs the lane: a claim of it may be parking one behind the job just now. If the
// lane is taken the job stays for another, empty step.
func finishStep(ctx context.Context, tx pgx.Tx, job Job, s Step) error {
	free := false
	if s.Done {
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1::int, $2::int)`, lockClass, job.Lane).Scan(&free); err != nil {
			return fmt.Errorf("lock lane %d: %w", job.Lane, err)
		}
	}
	batch := &pgx.Batch{}
	if free {
		batch.Queue(
			`DELETE FROM fanfare.fan_out_jobs WHERE activity_id = $1 AND tenant_id = $2`,
			job.ID,
			job.TenantID,
		)
		queueRelease(batch, map[resourceKey]bool{{job.TenantID, job.ResourceID}: true})
	} else {
		var last *uuid.UUID
		if s.LastPrincipalID != uuid.Nil {
			last = &s.LastPrincipalID
		}
		batch.Queue(`
			UPDATE fanfare.fan_out_jobs
			SET last_principal_id = $3, notified = notified + $4, attempts = 0, error = '',
			    retry_at = clock_timestamp() + CASE WHEN $5 THEN interval '20 ms' ELSE interval '0' END
			WHERE activity_id = $1 AND tenant_id = $2`, job.ID, job.TenantID, last, s.Notified, s.Done)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("settle fan-out job %s: %w", job.ID, err)
	}
	return nil
}

// postpone notes a failed step: the job waits, or becomes a dead letter and lets the activities
// behind it go.
func (w *Worker) postpone(ctx context.Context, job Job, cause error, report *Report) error {
	attempts := job.Attempts
	if !errors.Is(markUnavailable(cause), ErrUnavailable) {
		attempts++
	}
	wait := w.opts.Retries.wait(max(attempts, 1), randomJitter)
	w.log.Warn("a step of a fan-out job failed", zap.Stringer("activity", job.ID), zap.Int("attempts", attempts),
		zap.Duration("next_try_in", wait), zap.Error(cause))
	if attempts < w.opts.Retries.MaxAttempts {
		_, err := w.pool.Exec(ctx, `
			UPDATE fanfare.fan_out_jobs SET attempts = $3, error = $4, retry_at = clock_timestamp() + make_interval(secs => $5)
			WHERE activity_id = $1 AND tenant_id = $2`, job.ID, job.TenantID, attempts, cause.Error(), wait.Seconds())
		return err
	}
	report.DeadLetters = 1
	return w.inLane(ctx, job.Lane, func(tx pgx.Tx) error {
		s := settlement{
			lane:    job.Lane,
			touched: map[resourceKey]bool{{job.TenantID, job.ResourceID}: true},
			dead: []waiting{{
				Lane: job.Lane, Seq: job.Seq, ActivityID: job.ID, TenantID: job.TenantID, ResourceID: job.ResourceID, RecordedAt: job.RecordedAt,
				Attempts: attempts, Error: cause.Error(),
			}},
		}
		if _, err := tx.Exec(ctx, `DELETE FROM fanfare.fan_out_jobs WHERE activity_id = $1 AND tenant_id = $2`, job.ID, job.TenantID); err != nil {
			return err
		}
		_, err := s.apply(ctx, tx)
		return err
	})
}

func (w *Worker) inLane(ctx context.Context, lane int, do func(tx pgx.Tx) error) error {
	return withLane(ctx, w.pool, lane, do)
}
