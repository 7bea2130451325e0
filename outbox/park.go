package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
)

// ErrBlocked is the error for an activity that cannot be parked on its own, because an earlier
// activity of its resource blocks it.
var ErrBlocked = errors.New("blocked by an earlier activity of its resource")

// Park takes a pending activity out of its lane for a time, and with it the later activities of its
// resource. reason is recorded as its error. The error wraps activity.ErrNotFound if the activity
// is not pending, and ErrBlocked.
func (b *Backlog) Park(ctx context.Context, tenant, id uuid.UUID, wait time.Duration, reason string) error {
	var lane int
	err := b.pool.QueryRow(ctx, `
		SELECT lane FROM fanfare.outbox WHERE activity_id = $1 AND ($2::uuid IS NULL OR tenant_id = $2)
		UNION ALL
		SELECT lane FROM fanfare.parked WHERE activity_id = $1 AND ($2::uuid IS NULL OR tenant_id = $2)
		LIMIT 1`, id, zeronull.UUID(tenant)).Scan(&lane)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("pending activity %s: %w", id, activity.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("find activity %s: %w", id, err)
	}
	return withLane(ctx, b.pool, lane, func(tx pgx.Tx) error {
		var blocked bool
		if err := tx.QueryRow(ctx, isBlocked, lane, id).Scan(&blocked); err != nil {
			return fmt.Errorf("find activity %s: %w", id, err)
		}
		if blocked {
			return fmt.Errorf("activity %s: %w", id, ErrBlocked)
		}
		var key resourceKey
		err := tx.QueryRow(ctx, parkOne, lane, id, wait.Seconds(), reason).Scan(&key.tenant, &key.resource)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("pending activity %s: %w", id, activity.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("park activity %s: %w", id, err)
		}
		batch := &pgx.Batch{}
		queueRelease(batch, map[resourceKey]bool{key: true})
		return tx.SendBatch(ctx, batch).Close()
	})
}

// isBlocked reports whether an earlier activity of the same resource is parked or a fan-out job.
const isBlocked = `
SELECT EXISTS (
    SELECT FROM (
        SELECT tenant_id, resource_id, seq FROM fanfare.outbox WHERE lane = $1 AND activity_id = $2
        UNION ALL
        SELECT tenant_id, resource_id, seq FROM fanfare.parked WHERE lane = $1 AND activity_id = $2
    ) AS a
    WHERE EXISTS (SELECT FROM fanfare.parked AS p
                  WHERE p.tenant_id = a.tenant_id AND p.resource_id = a.resource_id AND p.seq < a.seq)
       OR EXISTS (SELECT FROM fanfare.fan_out_jobs AS j
                  WHERE j.tenant_id = a.tenant_id AND j.resource_id = a.resource_id AND j.seq < a.seq))`

// parkOne parks an activity of the outbox, or postpones a parked one that is not blocked. The
// latter counts its attempts anew: only a row without any may wait longer than the back-off (see
// isDue).
const parkOne = `
WITH taken AS (
    DELETE FROM fanfare.outbox WHERE lane = $1 AND activity_id = $2
    RETURNING lane, seq, activity_id, tenant_id, resource_id, recorded_at, channels
), inserted AS (
    INSERT INTO fanfare.parked (
        lane, seq, activity_id, tenant_id, resource_id, recorded_at, channels, retry_at, error)
    SELECT lane, seq, activity_id, tenant_id, resource_id, recorded_at, channels,
           clock_timestamp() + make_interval(secs => $3), $4
    FROM taken
    RETURNING tenant_id, resource_id
), postponed AS (
    UPDATE fanfare.parked SET retry_at = clock_timestamp() + make_interval(secs => $3), error = $4, attempts = 0
    WHERE lane = $1 AND activity_id = $2 AND retry_at IS NOT NULL
    RETURNING tenant_id, resource_id
)
SELECT tenant_id, resource_id FROM inserted UNION ALL SELECT tenant_id, resource_id FROM postponed`

// withLane calls fn in a transaction that holds the lane's lock, as a claim does.
func withLane(ctx context.Context, pool *pgxpool.Pool, lane int, fn func(tx pgx.Tx) error) error {
	return inTx(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '30s'`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1::int, $2::int)`, LaneLockClass, lane); err != nil {
			return fmt.Errorf("lock lane %d: %w", lane, err)
		}
		return fn(tx)
	})
}
