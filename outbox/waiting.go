package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity/pglog"
)

// Page selects a part of a list of activities, which is ordered by id, the newest first.
type Page struct {
	Limit int
	After uuid.UUID // only activities after this one; uuid.Nil begins with the newest
}

// Parked is an activity that waits for its next attempt, or behind one that does.
type Parked struct {
	ActivityID   uuid.UUID  `json:"activity_id"`
	TenantID     uuid.UUID  `json:"tenant_id"`
	ResourceID   uuid.UUID  `json:"resource_id"`
	ResourceType string     `json:"resource_type"` // "" if the log no longer contains the activity
	ResourceName string     `json:"resource_name"`
	Action       string     `json:"action"`
	Lane         int        `json:"lane"`
	RecordedAt   time.Time  `json:"recorded_at"`
	ParkedAt     time.Time  `json:"parked_at"`
	Attempts     int        `json:"attempts"` // 0 unless it failed itself
	RetryAt      *time.Time `json:"retry_at"` // null while an earlier activity of the resource blocks it
	Channels     []string   `json:"channels"` // those still to be published to; null means all
	Error        string     `json:"error"`
}

// Parked lists parked activities of a tenant; uuid.Nil selects every tenant. failing selects those
// that failed themselves.
func (b *Backlog) Parked(ctx context.Context, tenant uuid.UUID, failing bool, p Page) ([]Parked, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT p.activity_id, p.tenant_id, p.resource_id, coalesce(a.resource_type, ''),
		       coalesce(a.resource_name, ''), coalesce(a.action, ''), p.lane, p.recorded_at, p.parked_at, p.attempts,
		       p.retry_at, p.channels, p.error
		FROM fanfare.parked AS p
		LEFT JOIN `+pglog.ByID("p.activity_id", "p.tenant_id")+` ON true
		WHERE ($1::uuid IS NULL OR p.tenant_id = $1) AND (p.attempts > 0 OR NOT $2)
		  AND ($3::uuid IS NULL OR p.activity_id < $3)
		ORDER BY p.activity_id DESC
		LIMIT $4`, zeronull.UUID(tenant), failing, zeronull.UUID(p.After), p.Limit)
	if err != nil {
		return nil, fmt.Errorf("list the parked activities: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Parked])
}

// JobState is how far a fan-out job is.
type JobState struct {
	ActivityID   uuid.UUID `json:"activity_id"`
	TenantID     uuid.UUID `json:"tenant_id"`
	ResourceID   uuid.UUID `json:"resource_id"`
	ResourceType string    `json:"resource_type"`
	ResourceName string    `json:"resource_name"`
	Action       string    `json:"action"`
	RecordedAt   time.Time `json:"recorded_at"`
	StartedAt    time.Time `json:"started_at"`
	Notified     int64     `json:"notified"` // recipients so far
	Attempts     int       `json:"attempts"` // failed attempts of the next step
	RetryAt      time.Time `json:"retry_at"` // when the next step is due
	Error        string    `json:"error"`    // of the last attempt; "" if it succeeded

	// The parent of the resource at the time of recording, and the cursor: the recipients up to it
	// have been notified. uuid.Nil if there is none.
	ParentID        uuid.UUID `json:"-"`
	LastPrincipalID uuid.UUID `json:"-"`
}

// Jobs lists the fan-out jobs of a tenant; uuid.Nil selects every tenant.
func (b *Backlog) Jobs(ctx context.Context, tenant uuid.UUID, p Page) ([]JobState, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT j.activity_id, j.tenant_id, j.resource_id, coalesce(a.resource_type, ''),
		       coalesce(a.resource_name, ''), coalesce(a.action, ''), j.recorded_at, j.started_at, j.notified,
		       j.attempts, j.retry_at, j.error, coalesce(a.parent_id, $4), coalesce(j.last_principal_id, $4)
		FROM fanfare.fan_out_jobs AS j
		LEFT JOIN `+pglog.ByID("j.activity_id", "j.tenant_id")+` ON true
		WHERE ($1::uuid IS NULL OR j.tenant_id = $1) AND ($2::uuid IS NULL OR j.activity_id < $2)
		ORDER BY j.activity_id DESC
		LIMIT $3`, zeronull.UUID(tenant), zeronull.UUID(p.After), p.Limit, uuid.Nil)
	if err != nil {
		return nil, fmt.Errorf("list the fan-out jobs: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[JobState])
}

// LaneState is the number of activities in a lane that are not delivered.
type LaneState struct {
	Lane       int        `json:"lane"`
	Pending    int64      `json:"pending"`   // rows in the outbox
	OldestAt   *time.Time `json:"oldest_at"` // when the oldest of them was recorded
	Parked     int64      `json:"parked"`
	Failing    int64      `json:"failing"` // parked activities that have failed themselves
	FanOutJobs int64      `json:"fan_out_jobs"`
}

// LaneStates returns the state of each lane, for a tenant or, with uuid.Nil, for every tenant.
func (b *Backlog) LaneStates(ctx context.Context, tenant uuid.UUID) ([]LaneState, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT l.lane, coalesce(o.pending, 0), o.oldest_at, coalesce(p.parked, 0), coalesce(p.failing, 0),
		       coalesce(j.jobs, 0)
		FROM generate_series(0, $2::int - 1) AS l(lane)
		LEFT JOIN (
		    SELECT lane, count(*) AS pending, min(recorded_at) AS oldest_at
		    FROM fanfare.outbox WHERE $1::uuid IS NULL OR tenant_id = $1 GROUP BY lane
		) AS o ON o.lane = l.lane
		LEFT JOIN (
		    SELECT lane, count(*) AS parked, count(*) FILTER (WHERE attempts > 0) AS failing
		    FROM fanfare.parked WHERE $1::uuid IS NULL OR tenant_id = $1 GROUP BY lane
		) AS p ON p.lane = l.lane
		LEFT JOIN (
		    SELECT lane, count(*) AS jobs
		    FROM fanfare.fan_out_jobs WHERE $1::uuid IS NULL OR tenant_id = $1 GROUP BY lane
		) AS j ON j.lane = l.lane
		ORDER BY l.lane`, zeronull.UUID(tenant), Lanes)
	if err != nil {
		return nil, fmt.Errorf("count the activities of the lanes: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[LaneState])
}
