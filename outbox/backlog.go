package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Backlog lets an operator inspect the pending activities and the dead letters, and park the
// former. It is safe for concurrent use.
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

const countStatus = `
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
) AS d`

// Status counts the rows of a tenant; uuid.Nil selects every tenant.
func (b *Backlog) Status(ctx context.Context, tenant uuid.UUID) (Status, error) {
	rows, err := b.pool.Query(ctx, countStatus, zeronull.UUID(tenant))
	if err != nil {
		return Status{}, fmt.Errorf("count the outbox: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Status])
}
