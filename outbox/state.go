package outbox

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
)

// State is how far the delivery of an activity is.
type State struct {
	Pending bool // in the outbox, or parked
	Dead    bool // a dead letter

	// Job reports that a fan-out job delivers the activity. The recipients up to LastPrincipalID
	// have been notified.
	Job             bool
	LastPrincipalID uuid.UUID
}

// maxLane is the number of rows of a lane that are searched for an activity.
const maxLane = 10_000

// selectState reads a bounded part of a lane, which has no index by activity. A lane is delivered
// in its order: an activity that is not older than the last row of that part is pending, too.
const selectState = `
WITH first AS (
    SELECT o.activity_id, o.recorded_at FROM fanfare.outbox AS o
    WHERE o.lane = fanfare.lane_of($1, $2) ORDER BY o.seq LIMIT $5
)
SELECT EXISTS (SELECT FROM first WHERE activity_id = $3)
    OR (SELECT count(*) = $5 AND max(recorded_at) <= $4 FROM first)
    OR EXISTS (SELECT FROM fanfare.parked AS p WHERE p.activity_id = $3 AND p.tenant_id = $1),
    EXISTS (SELECT FROM fanfare.dead_letters AS d WHERE d.activity_id = $3 AND d.tenant_id = $1),
    j.found IS NOT NULL, j.last_principal_id
FROM (SELECT) AS one
LEFT JOIN (
    SELECT true AS found, j.last_principal_id FROM fanfare.fan_out_jobs AS j
    WHERE j.activity_id = $3 AND j.tenant_id = $1
) AS j ON true`

// QueueState queues a statement that reads the state of a recorded activity. It is stored when the
// results of the batch are read.
func QueueState(b *pgx.Batch, a *activity.Activity, into *State) {
	arguments := []any{a.TenantID, a.ResourceID, a.ID, a.RecordedAt.UTC().Truncate(time.Microsecond), maxLane}
	b.Queue(selectState, arguments...).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&into.Pending, &into.Dead, &into.Job, (*zeronull.UUID)(&into.LastPrincipalID))
		if err != nil {
			return fmt.Errorf("read the state of an activity: %w", err)
		}
		return nil
	})
}
