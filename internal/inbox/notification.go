package inbox

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
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

// keyColumns lists the columns of fanfare.notifications AS n that the primary key has, in the order
// of keyTargets, and otherColumns the others, in the order of otherTargets.
const (
	keyColumns   = `n.activity_id, ` + seenAt + `, ` + readAt + `, n.archived_at, ` + snoozedTo
	otherColumns = `n.reasons, n.group_id, n.created_at`
)

func (n *Notification) keyTargets() []any {
	return []any{(*zeronull.UUID)(&n.ID), &n.SeenAt, &n.ReadAt, &n.ArchivedAt, &n.SnoozedUntil}
}

func (n *Notification) otherTargets() []any {
	return []any{(*zeronull.Int2)(&n.Reasons), (*zeronull.UUID)(&n.GroupID), (*zeronull.Timestamptz)(&n.CreatedAt)}
}
