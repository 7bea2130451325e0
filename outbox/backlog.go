package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
)

// Backlog is the operator's view of what is pending and what could not be delivered.
type Backlog struct {
	pool *pgxpool.Pool
}

// NewBacklog returns the backlog of the pool's database.
func NewBacklog(pool *pgxpool.Pool) *Backlog { return &Backlog{pool: pool} }

// Status counts what is pending.
type Status struct {
	Pending     int64      `json:"pending"`      // rows in the outbox
	OldestAt    *time.Time `json:"oldest_at"`    // when the oldest of them was recorded
	Parked      int64      `json:"parked"`       // waiting for their next try, or behind one that does
	Failing     int64      `json:"failing"`      // of those, the ones that have failed themselves
	FanOutJobs  int64      `json:"broadcasts"`   // wide audiences being told
	DeadLetters int64      `json:"dead_letters"` // could not be delivered
}

// Status counts a tenant's rows; uuid.Nil counts every tenant's.
func (b *Backlog) Status(ctx context.Context, tenant uuid.UUID) (Status, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT o.pending, o.oldest_at, p.parked, p.failing, j.broadcasts, d.dead_letters
		FROM (SELECT count(*) AS pending, min(recorded_at) AS oldest_at FROM fanfare.outbox WHERE $1::uuid IS NULL OR tenant_id = $1) AS o,
		     (SELECT count(*) AS parked, count(*) FILTER (WHERE attempts > 0) AS failing FROM fanfare.parked WHERE $1::uuid IS NULL OR tenant_id = $1) AS p,
		     (SELECT count(*) AS broadcasts FROM fanfare.fan_out_jobs WHERE $1::uuid IS NULL OR tenant_id = $1) AS j,
		     (SELECT count(*) AS dead_letters FROM fanfare.dead_letters WHERE $1::uuid IS NULL OR tenant_id = $1) AS d`, orNull(tenant))
	if err != nil {
		return Status{}, fmt.Errorf("read the outbox: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Status])
}

// DeadLetter is an activity that could not be delivered.
type DeadLetter struct {
	ActivityID uuid.UUID `json:"activity_id"`
	TenantID   uuid.UUID `json:"tenant_id"`
	ResourceID uuid.UUID `json:"resource_id"`
	Action     string    `json:"action"` // "" when the log does not hold it any more
	RecordedAt time.Time `json:"recorded_at"`
	DiedAt     time.Time `json:"died_at"`
	Attempts   int       `json:"attempts"`
	Channels   []string  `json:"channels"` // those not reached; null means all
	Error      string    `json:"error"`
}

// DeadLetters lists a tenant's dead letters (uuid.Nil: every tenant's), the latest first, at most
// limit.
func (b *Backlog) DeadLetters(ctx context.Context, tenant uuid.UUID, limit int) ([]DeadLetter, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT d.activity_id, d.tenant_id, d.resource_id, coalesce(a.action, ''), d.recorded_at, d.died_at, d.attempts, d.channels, d.error
		FROM fanfare.dead_letters AS d LEFT JOIN fanfare.activities AS a ON a.id = d.activity_id AND a.tenant_id = d.tenant_id
		WHERE $1::uuid IS NULL OR d.tenant_id = $1
		ORDER BY d.died_at DESC, d.activity_id DESC
		LIMIT $2`, orNull(tenant), limit)
	if err != nil {
		return nil, fmt.Errorf("read the dead letters: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DeadLetter])
}

// Replay puts dead letters back into the outbox, behind what is there, and returns how many.
// id uuid.Nil means all of the tenant's; tenant uuid.Nil means every tenant's.
func (b *Backlog) Replay(ctx context.Context, tenant, id uuid.UUID) (int64, error) {
	var replayed int64
	err := b.pool.QueryRow(ctx, `
		WITH revived AS (
		    DELETE FROM fanfare.dead_letters AS d
		    WHERE ($1::uuid IS NULL OR d.tenant_id = $1) AND ($2::uuid IS NULL OR d.activity_id = $2)
		    RETURNING *
		), queued AS (
		    INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
		    SELECT lane, activity_id, tenant_id, resource_id, recorded_at FROM revived ORDER BY seq
		    RETURNING 1
		)
		SELECT count(*) FROM queued`, orNull(tenant), orNull(id)).Scan(&replayed)
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	if replayed == 0 && id != uuid.Nil {
		return 0, fmt.Errorf("dead letter %s: %w", id, activity.ErrNotFound)
	}
	return replayed, nil
}

// ErrBlocked is returned for an activity that cannot be parked by itself: an earlier one of its
// resource waits, and it behind that.
var ErrBlocked = errors.New("waits behind an earlier activity of its resource")

// Park takes a pending activity out of its lane until wait has passed, and with it those of the
// same resource behind it.
func (b *Backlog) Park(ctx context.Context, tenant, id uuid.UUID, wait time.Duration, reason string) error {
	var lane int
	err := b.pool.QueryRow(ctx, `
		SELECT lane FROM fanfare.outbox WHERE activity_id = $1 AND ($2::uuid IS NULL OR tenant_id = $2)
		UNION ALL
		SELECT lane FROM fanfare.parked WHERE activity_id = $1 AND ($2::uuid IS NULL OR tenant_id = $2)
		LIMIT 1`, id, orNull(tenant)).Scan(&lane)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("pending activity %s: %w", id, activity.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("find activity %s: %w", id, err)
	}
	return withLane(ctx, b.pool, lane, func(tx pgx.Tx) error {
		var behind bool
		if err := tx.QueryRow(ctx, waitsBehind, lane, id).Scan(&behind); err != nil {
			return fmt.Errorf("find activity %s: %w", id, err)
		}
		if behind {
			return fmt.Errorf("activity %s %w", id, ErrBlocked)
		}
		var key resourceKey
		err := tx.QueryRow(ctx, `
			WITH taken AS (
			    DELETE FROM fanfare.outbox WHERE lane = $1 AND activity_id = $2 RETURNING lane, seq, activity_id, tenant_id, resource_id, recorded_at
			), put AS (
			    INSERT INTO fanfare.parked (lane, seq, activity_id, tenant_id, resource_id, recorded_at, retry_at, error)
			    SELECT lane, seq, activity_id, tenant_id, resource_id, recorded_at, clock_timestamp() + make_interval(secs => $3), $4 FROM taken
			    RETURNING tenant_id, resource_id
			), moved AS (
			    UPDATE fanfare.parked SET retry_at = clock_timestamp() + make_interval(secs => $3), error = $4
			    WHERE lane = $1 AND activity_id = $2 AND retry_at IS NOT NULL
			    RETURNING tenant_id, resource_id
			)
			SELECT tenant_id, resource_id FROM put UNION ALL SELECT tenant_id, resource_id FROM moved`,
			lane, id, wait.Seconds(), reason).Scan(&key.tenant, &key.resource)
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

// waitsBehind tells whether an earlier activity of the same resource is parked or a fan-out job.
const waitsBehind = `
SELECT EXISTS (
    SELECT FROM (
        SELECT tenant_id, resource_id, seq FROM fanfare.outbox WHERE lane = $1 AND activity_id = $2
        UNION ALL
        SELECT tenant_id, resource_id, seq FROM fanfare.parked WHERE lane = $1 AND activity_id = $2
    ) AS a
    WHERE EXISTS (SELECT FROM fanfare.parked AS p WHERE p.tenant_id = a.tenant_id AND p.resource_id = a.resource_id AND p.seq < a.seq)
       OR EXISTS (SELECT FROM fanfare.fan_out_jobs AS j WHERE j.tenant_id = a.tenant_id AND j.resource_id = a.resource_id AND j.seq < a.seq))`

// withLane does something in a transaction that holds the lane, as a claim of it does.
func withLane(ctx context.Context, pool *pgxpool.Pool, lane int, do func(tx pgx.Tx) error) error {
	return inTx(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '30s'`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1::int, $2::int)`, lockClass, lane); err != nil {
			return fmt.Errorf("lock lane %d: %w", lane, err)
		}
		return do(tx)
	})
}

func orNull(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}
