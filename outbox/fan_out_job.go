package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// claimJob locks the fan-out job that is due longest and that no other worker has locked.
const claimJob = `
SELECT j.lane, j.seq, j.attempts, j.channels, j.last_principal_id, j.notified, ` + pglog.Columns + `
FROM fanfare.fan_out_jobs AS j
JOIN fanfare.activities AS a ON a.id = j.activity_id AND a.tenant_id = j.tenant_id
WHERE j.retry_at <= clock_timestamp()
ORDER BY j.retry_at
LIMIT 1
FOR UPDATE OF j SKIP LOCKED`

const deleteJob = `DELETE FROM fanfare.fan_out_jobs WHERE activity_id = $1 AND tenant_id = $2`

// runJobs runs the fan-out jobs, one step per transaction, until ctx ends. A step that has begun
// runs with work, which outlives ctx.
func (w *Worker) runJobs(ctx, work context.Context) {
	pause := w.opts.Poll
	for wait.Sleep(ctx, pause) == nil {
		worked, err := w.runStep(work)
		switch {
		case err != nil && work.Err() == nil:
			pause = w.opts.Retries.Longest / 10
			w.log.Warn("fan-out jobs are not running", zap.Error(err), zap.Duration("retry_in", pause))
		case worked:
			pause = 0
		default:
			pause = min(max(pause*2, w.opts.Poll), 20*w.opts.Poll)
		}
	}
}

// runStep runs one step of one job and reports whether a job was due.
func (w *Worker) runStep(ctx context.Context) (bool, error) {
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
	step, err := w.handleStep(ctx, tx, job)
	if err != nil {
		report.Err = err
		rollback(ctx, tx)
		return true, w.postponeJob(ctx, job, err, &report)
	}
	if report.Err = finishStep(ctx, tx, job, step); report.Err != nil {
		return true, report.Err
	}
	if err := tx.Commit(ctx); err != nil {
		report.Err = fmt.Errorf("commit: %w", err)
		return true, report.Err
	}
	report.Notified = step.Notified
	if step.Done {
		report.Delivered = []time.Time{job.RecordedAt}
	}
	return true, nil
}

// handleStep calls the handler and turns its panic into an error.
func (w *Worker) handleStep(ctx context.Context, tx pgx.Tx, job Job) (step Step, err error) {
	defer recoverPanic(&err)
	return w.handler.Step(ctx, tx, job)
}

func readJob(ctx context.Context, tx pgx.Tx) (Job, error) {
	var job Job
	targets := []any{
		&job.Lane, &job.Seq, &job.Attempts, &job.Channels, (*zeronull.UUID)(&job.LastPrincipalID), &job.Notified,
	}
	return job, tx.QueryRow(ctx, claimJob).Scan(append(targets, pglog.ScanTargets(&job.Activity)...)...)
}

// finishStep moves the job's cursor. After the last step it removes the job and releases the
// activities that the job blocks, which takes the lane's lock: a claim may be parking another such
// activity at this moment. While another worker holds the lane, the job stays for one more, empty
// step.
func finishStep(ctx context.Context, tx pgx.Tx, job Job, s Step) error {
	locked := false
	if s.Done {
		row := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1::int, $2::int)`, lockClass, job.Lane)
		if err := row.Scan(&locked); err != nil {
			return fmt.Errorf("lock lane %d: %w", job.Lane, err)
		}
	}
	batch := &pgx.Batch{}
	if locked {
		batch.Queue(deleteJob, job.ID, job.TenantID)
		queueRelease(batch, map[resourceKey]bool{{job.TenantID, job.ResourceID}: true})
	} else {
		batch.Queue(`
			UPDATE fanfare.fan_out_jobs
			SET last_principal_id = $3, notified = notified + $4, attempts = 0, error = '',
			    retry_at = clock_timestamp() + CASE WHEN $5 THEN interval '20 ms' ELSE interval '0' END
			WHERE activity_id = $1 AND tenant_id = $2`,
			job.ID, job.TenantID, zeronull.UUID(s.LastPrincipalID), s.Notified, s.Done)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("settle fan-out job %s: %w", job.ID, err)
	}
	return nil
}

// postponeJob records a failed step: the job waits for its next attempt. After MaxAttempts it
// becomes a dead letter, and the activities that it blocks are released.
func (w *Worker) postponeJob(ctx context.Context, job Job, cause error, report *Report) error {
	attempts := job.Attempts
	if !errors.Is(markUnavailable(cause), ErrUnavailable) {
		attempts++
	}
	pause := w.opts.Retries.wait(max(attempts, 1), randomJitter)
	w.log.Warn("a step of a fan-out job failed", zap.Stringer("activity_id", job.ID), zap.Int("attempts", attempts),
		zap.Duration("retry_in", pause), zap.Error(cause))
	if attempts < w.opts.Retries.MaxAttempts {
		_, err := w.pool.Exec(ctx, `
			UPDATE fanfare.fan_out_jobs
			SET attempts = $3, error = $4, retry_at = clock_timestamp() + make_interval(secs => $5)
			WHERE activity_id = $1 AND tenant_id = $2`,
			job.ID, job.TenantID, attempts, cause.Error(), pause.Seconds())
		return err
	}
	report.DeadLetters = 1
	return withLane(ctx, w.pool, job.Lane, func(tx pgx.Tx) error {
		dead := job.pendingRow(job.Lane)
		dead.Attempts, dead.Error = attempts, cause.Error()
		s := settlement{
			lane:    job.Lane,
			dead:    []pendingRow{dead},
			touched: map[resourceKey]bool{{job.TenantID, job.ResourceID}: true},
		}
		if _, err := tx.Exec(ctx, deleteJob, job.ID, job.TenantID); err != nil {
			return err
		}
		_, err := s.apply(ctx, tx)
		return err
	})
}
