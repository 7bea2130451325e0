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

// Backlog lets an operator inspect the pending activities and the dead letters, replay the latter
// and park the former. It is safe for concurrent use.
type Backlog struct {
	pool *pgxpool.Pool
}

// NewBacklog returns the backlog of the pool's database.
func NewBacklog(pool *pgxpool.Pool) *Backlog { return &Backlog{pool: pool} }

// Status counts the pending activities and the dead letters.
type Status struct {
	Pending     int64      `json:"pending"`      // rows in the outbox
	OldestAt    *time.Time `json:"oldest_at"`    // when the oldest of them was recorded
	Parked      int64      `json:"parked"`       // activities that wait for their next attempt, or behind one that does
	Failing     int64      `json:"failing"`      // parked activities that have failed themselves
	FanOutJobs  int64      `json:"broadcasts"`   // activities whose wide audience is being notified
	DeadLetters int64      `json:"dead_letters"` // activities that could not be delivered
}

// Status counts the rows of a tenant; uuid.Nil selects every tenant.
func (b *Backlog) Status(ctx context.Context, tenant uuid.UUID) (Status, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT o.pending, o.oldest_at, p.parked, p.failing, j.fan_out_jobs, d.dead_letters
		FROM (
		    SELECT count(*) AS pending, min(recorded_at) AS oldest_at
		    FROM fanfare.outbox WHERE $1::uuid IS NULL OR tenant_id = $1
		) AS o, (
		    SELECT count(*) AS parked, count(*) FILTER (WHERE attempts > 0) AS failing
		    FROM fanfare.parked WHERE $1::uuid IS NULL OR tenant_id = $1
		) AS p, (
		    SELECT count(*) AS fan_out_jobs
		    FROM fanfare.fan_out_jobs WHERE $1::uuid IS NULL OR tenant_id = $1
		) AS j, (
		    SELECT count(*) AS dead_letters
		    FROM fanfare.dead_letters WHERE $1::uuid IS NULL OR tenant_id = $1
		) AS d`, zeronull.UUID(tenant))
	if err != nil {
		return Status{}, fmt.Errorf("count the outbox: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Status])
}

// DeadLetter is an activity that could not be delivered.
type DeadLetter struct {
	ActivityID uuid.UUID `json:"activity_id"`
	TenantID   uuid.UUID `json:"tenant_id"`
	ResourceID uuid.UUID `json:"resource_id"`
	Action     string    `json:"action"` // "" if the log no longer contains the activity
	RecordedAt time.Time `json:"recorded_at"`
	DiedAt     time.Time `json:"died_at"`
	Attempts   int       `json:"attempts"`
	Channels   []string  `json:"channels"` // the channels not reached; null means all
	Error      string    `json:"error"`
}

// DeadLetters lists up to limit dead letters of a tenant, newest first; uuid.Nil selects every
// tenant.
func (b *Backlog) DeadLetters(ctx context.Context, tenant uuid.UUID, limit int) ([]DeadLetter, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT d.activity_id, d.tenant_id, d.resource_id, coalesce(a.action, ''), d.recorded_at, d.died_at,
		       d.attempts, d.channels, d.error
		FROM fanfare.dead_letters AS d
		LEFT JOIN fanfare.activities AS a ON a.id = d.activity_id AND a.tenant_id = d.tenant_id
		WHERE $1::uuid IS NULL OR d.tenant_id = $1
		ORDER BY d.died_at DESC, d.activity_id DESC
		LIMIT $2`, zeronull.UUID(tenant), limit)
	if err != nil {
		return nil, fmt.Errorf("list the dead letters: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DeadLetter])
}

// Replay moves the tenant's dead letter of an activity to the end of the outbox, and returns the
// number of moved ones; an id of uuid.Nil selects every dead letter of the tenant, a tenant of
// uuid.Nil every tenant. A replayed activity is published only to the channels that it has not
// reached, while it counts its attempts anew. The error wraps activity.ErrNotFound if the one
// selected activity has no dead letter.
func (b *Backlog) Replay(ctx context.Context, tenant, id uuid.UUID) (int64, error) {
	var replayed int64
	err := b.pool.QueryRow(ctx, `
		WITH replayed AS (
		    DELETE FROM fanfare.dead_letters AS d
		    WHERE ($1::uuid IS NULL OR d.tenant_id = $1) AND ($2::uuid IS NULL OR d.activity_id = $2)
		    RETURNING *
		), queued AS (
		    INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at, channels)
		    SELECT lane, activity_id, tenant_id, resource_id, recorded_at, channels FROM replayed ORDER BY seq
		    RETURNING 1
		)
		SELECT count(*) FROM queued`, zeronull.UUID(tenant), zeronull.UUID(id)).Scan(&replayed)
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	if replayed == 0 && id != uuid.Nil {
		return 0, fmt.Errorf("dead letter %s: %w", id, activity.ErrNotFound)
	}
	return replayed, nil
}

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
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1::int, $2::int)`, lockClass, lane); err != nil {
			return fmt.Errorf("lock lane %d: %w", lane, err)
		}
		return fn(tx)
	})
}
