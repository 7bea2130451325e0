package inbox

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/watchers"
)

// Notification is an inbox row with its activity.
type Notification struct {
	ID           uuid.UUID // of the activity
	Reasons      watchers.Reasons
	GroupID      uuid.UUID // through which a reason holds that does not hold directly; uuid.Nil is none
	CreatedAt    time.Time
	SeenAt       *time.Time // nil if unseen
	ReadAt       *time.Time // nil if unread
	ArchivedAt   *time.Time // nil if not archived
	SnoozedUntil *time.Time // in the future, or nil
	Activity     activity.Activity
}

// rowColumns lists the columns of fanfare.notifications AS n in the order of rowTargets.
const rowColumns = `n.activity_id, n.reasons, n.group_id, n.created_at,
       ` + seenAt + `, ` + readAt + `, n.archived_at, ` + snoozedTo

func (n *Notification) rowTargets() []any {
	return []any{
		(*zeronull.UUID)(&n.ID), (*zeronull.Int2)(&n.Reasons), (*zeronull.UUID)(&n.GroupID),
		(*zeronull.Timestamptz)(&n.CreatedAt), &n.SeenAt, &n.ReadAt, &n.ArchivedAt, &n.SnoozedUntil,
	}
}

// headerColumns lists what a scan reads of the activity a, in the order of headerTargets: what
// decides who may see it, and what groups it.
const headerColumns = pglog.HeaderColumns + `, a.correlation_id, a.recorded_at`

func headerTargets(a *activity.Activity) []any {
	return append(pglog.HeaderTargets(a), (*zeronull.UUID)(&a.CorrelationID), (*zeronull.Timestamptz)(&a.RecordedAt))
}
