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

// jobIsDue is the condition on a fan-out job j that may be attempted; see isDue.
func jobIsDue(longest string) string {
	return `(j.retry_at <= clock_timestamp()
	    OR j.retry_at > clock_timestamp() + make_interval(secs => 2 * ` + longest + `))`
}

// claimJob locks the fan-out job that is due longest and that no other worker has locked.
var claimJob = `
SELECT j.lane, j.seq, j.attempts, j.channels, j.last_principal_id, j.notified,
       j.activity_id, j.tenant_id, j.resource_id, j.recorded_at, ` + pglog.DeliveryColumns + `
FROM fanfare.fan_out_jobs AS j
CROSS JOIN ` + pglog.ByID("j.activity_id", "j.tenant_id") + `
WHERE ` + jobIsDue("$1::float8") + `
ORDER BY j.retry_at
LIMIT 1
FOR UPDATE OF j SKIP LOCKED`

const deleteJob = `DELETE FROM fanfare.fan_out_jobs WHERE activity_id = $1 AND tenant_id = $2`

// runJobs runs the fan-out jobs, one step per transaction, until ctx ends. It waits until a probe
// has seen one that is due; while others are active, the steps are paced. A step that has begun
// runs with work, which outlives ctx.
func (w *Worker) runJobs(ctx, work context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.jobsDue:
		}
		pause := time.Duration(0) // until the next step
		for worked := true; worked && ctx.Err() == nil; {
			short, ok := w.schedule.nextStep(ctx)
			if !ok {
				return
			}
			var err error
			began := time.Now()
			worked, err = w.runStep(work, short)
			w.schedule.endTurn(time.Since(began))
			w.noteStep(err)
			if err != nil && work.Err() == nil {
				pause = w.opts.Retries.Longest / 10
				w.trouble.note("a step of a fan-out job was rolled back", err, time.Now(),
					zap.Duration("retry_in", pause))
				break
			}
			if !worked {
				pause = 10 * w.opts.Poll // another worker runs the job that is due
			}
		}
		if wait.Sleep(ctx, pause) != nil {
			return
		}
	}
}

// noteStep notes the error of a step that was rolled back, with the time of the first one in a row.
func (w *Worker) noteStep(err error) {
	if err == nil {
		w.jobError.Store(nil)
		return
	}
	first := time.Now()
	if before := w.jobError.Load(); before != nil {
		first = before.Since
	}
	w.jobError.Store(&Problem{first, err})
}

// shortFor is the age from which a job takes whole steps, also beside others: with these it gets on
// twice as fast.
const shortFor = 10 * time.Minute

// runStep runs one step of one job, or a short one, and reports whether a job was due.
func (w *Worker) runStep(ctx context.Context, short bool) (worked bool, err error) {
	defer recoverPanic(&err)
	began := time.Now()
	tx, err := w.begin(ctx)
	if err != nil {
		return false, err
	}
	defer rollback(ctx, tx)
	var job Job
	err = w.within(ctx, w.limits.statement, func(ctx context.Context) error {
		job, err = readJob(ctx, tx, w.opts.Retries.Longest)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("claim a fan-out job: %w", err)
	}
	job.Short = short && time.Since(job.RecordedAt) < shortFor
	report := Report{Lane: job.Lane, Claimed: 1, Step: true}
	defer func() {
		report.Took = time.Since(began)
		w.observe(report)
	}()
	if err := w.rehearseStep(ctx, tx, job); err != nil {
		report.Err = markUnavailable(err)
		return true, report.Err
	}
	var step Step
	err = w.within(ctx, w.limits.handle, func(ctx context.Context) error {
		step, err = w.handleStep(ctx, tx, job)
		return err
	})
	if err != nil {
		report.Err = markUnavailable(err)
		rollback(ctx, tx)
		return true, w.within(ctx, 2*w.limits.statement, func(ctx context.Context) error {
			return w.postponeJob(ctx, job, report.Err, &report)
		})
	}
	err = w.within(ctx, 2*w.limits.statement, func(ctx context.Context) error {
		now := time.Now()
		if err := finishStep(ctx, tx, job, step, w.schedule.rest(now.Sub(began), now)); err != nil {
			return err
		}
		if err := tx.Commit(ctx); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		return nil
	})
	if err != nil {
		w.unsettled.Store(time.Now().UnixNano())
		report.Err = markUnavailable(err)
		return true, report.Err
	}
	delete(w.jobFailures, job.ID)
	report.Notified = step.Notified
	if step.Done {
		report.Delivered = []time.Time{job.RecordedAt}
	}
	return true, nil
}

// rehearseStep settles a step and undoes it, as rehearse does for a batch: one that moves the
// cursor, and the last one.
func (w *Worker) rehearseStep(ctx context.Context, tx pgx.Tx, job Job) error {
	return w.tryOut(ctx, tx, func(ctx context.Context, savepoint pgx.Tx) error {
		return errors.Join(
			finishStep(ctx, savepoint, job, Step{}, 0),
			finishStep(ctx, savepoint, job, Step{Done: true}, 0),
		)
	})
}

// handleStep calls the handler and turns its panic into an error.
func (w *Worker) handleStep(ctx context.Context, tx pgx.Tx, job Job) (step Step, err error) {
	defer recoverPanic(&err)
	return w.handler.Step(ctx, tx, job)
}

func readJob(ctx context.Context, tx pgx.Tx, longest time.Duration) (Job, error) {
	var job Job
	targets := []any{
		&job.Lane, &job.Seq, &job.Attempts, &job.Channels, (*zeronull.UUID)(&job.LastPrincipalID), &job.Notified,
		(*zeronull.UUID)(&job.ID), (*zeronull.UUID)(&job.TenantID), (*zeronull.UUID)(&job.ResourceID), &job.RecordedAt,
	}
	targets = append(targets, pglog.DeliveryTargets(&job.Activity)...)
	batch := &pgx.Batch{}
	batch.Queue(claimJob, longest.Seconds()).QueryRow(func(row pgx.Row) error { return row.Scan(targets...) })
	batch.Queue(unpin)
	return job, tx.SendBatch(ctx, batch).Close()
}

// finishStep moves the job's cursor; the next step, of any worker, is due after rest. After the
// last step it removes the job and releases the activities that the job blocks, which takes the
// lane's lock: a claim may be parking another such activity at this moment. While another worker
// holds the lane, the job stays for one more, empty step.
func finishStep(ctx context.Context, tx pgx.Tx, job Job, s Step, rest time.Duration) error {
	locked := false
	if s.Done {
		row := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1::int, $2::int)`, LaneLockClass, job.Lane)
		if err := row.Scan(&locked); err != nil {
			return fmt.Errorf("lock lane %d: %w", job.Lane, err)
		}
	}
	batch := &pgx.Batch{}
	if locked {
		batch.Queue(deleteJob, job.ID, job.TenantID)
		queueRelease(batch, map[resourceKey]bool{{job.TenantID, job.ResourceID}: true})
	} else {
		if s.Done {
			rest = max(rest, 20*time.Millisecond)
		}
		batch.Queue(`
			UPDATE fanfare.fan_out_jobs
			SET last_principal_id = $3, notified = notified + $4, attempts = 0, error = '',
			    retry_at = clock_timestamp() + make_interval(secs => $5)
			WHERE activity_id = $1 AND tenant_id = $2`,
			job.ID, job.TenantID, zeronull.UUID(s.LastPrincipalID), s.Notified, rest.Seconds())
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("settle fan-out job %s: %w", job.ID, err)
	}
	return nil
}

// stepAtFault reports whether a failed step counts as an attempt of its job: activities of the
// lanes were delivered since the job's previous failure.
func (w *Worker) stepAtFault(id uuid.UUID, cause error) bool {
	before := w.jobFailures[id]
	w.jobFailures[id] = time.Now()
	return !errors.Is(cause, ErrUnavailable) && !before.IsZero() && w.schedule.lastDelivered().After(before)
}

// postponeJob records a failed step: the job waits for its next attempt. After MaxAttempts it
// becomes a dead letter, and the activities that it blocks are released.
func (w *Worker) postponeJob(ctx context.Context, job Job, cause error, report *Report) error {
	attempts := job.Attempts
	if w.stepAtFault(job.ID, cause) {
		attempts++
	}
	pause := w.opts.Retries.wait(max(attempts, 1), randomJitter)
	w.trouble.note("a step of a fan-out job failed", cause, time.Now(), zap.Stringer("activity_id", job.ID),
		zap.Int("attempts", attempts), zap.Duration("retry_in", pause))
	if attempts < w.opts.Retries.MaxAttempts {
		_, err := w.pool.Exec(ctx, `
			UPDATE fanfare.fan_out_jobs
			SET attempts = $3, error = $4, retry_at = clock_timestamp() + make_interval(secs => $5)
			WHERE activity_id = $1 AND tenant_id = $2`,
			job.ID, job.TenantID, attempts, cause.Error(), pause.Seconds())
		return err
	}
	report.DeadLetters = 1
	delete(w.jobFailures, job.ID)
	return withLane(ctx, w.pool, job.Lane, func(tx pgx.Tx) error {
		dead := job.pendingRow(job.Lane)
		dead.Attempts, dead.Error = attempts, cause.Error()
		s := settlement{
			lane:    job.Lane,
			dead:    []pendingRow{dead},
			touched: map[resourceKey]bool{{job.TenantID, job.ResourceID}: true},
		}
		// A job that is gone has been taken away since the step was rolled back: its tenant moves.
		tag, err := tx.Exec(ctx, deleteJob, job.ID, job.TenantID)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		_, err = s.apply(ctx, tx)
		return err
	})
}
