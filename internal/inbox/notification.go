package inbox

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
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

// row is a notification without its activity, with what it has of that. Many rows are read for one
// Notification.
type row struct {
	id                                       uuid.UUID
	reasons                                  watchers.Reasons
	groupID                                  uuid.UUID
	createdAt                                time.Time
	seenAt, readAt, archivedAt, snoozedUntil *time.Time
	subject
}

// notification returns the notification of the row with an activity.
func (r *row) notification(a activity.Activity) Notification {
	return Notification{
		ID: r.id, Reasons: r.reasons, GroupID: r.groupID, CreatedAt: r.createdAt,
		SeenAt: r.seenAt, ReadAt: r.readAt, ArchivedAt: r.archivedAt, SnoozedUntil: r.snoozedUntil, Activity: a,
	}
}

// subject is what a row has of what decides who may see its activity.
type subject struct {
	resource   uuid.UUID
	visibility string // the first letter
	party      bool
}

// accessQuery returns the query about the activity of a notification of a principal. It lacks the
// owner and the parent that the activity names, which decide if the directory does not contain the
// resource.
func (s *subject) accessQuery(principal activity.Principal) directory.AccessQuery {
	q := directory.AccessQuery{ResourceID: s.resource}
	for _, v := range [...]activity.Visibility{
		activity.Private, activity.ResourceWide, activity.ScopeWide, activity.TenantVisible,
	} {
		if string(v[:1]) == s.visibility {
			q.Visibility = v
		}
	}
	if s.party {
		q.ActorID = principal.PrincipalID
	}
	return q
}

// columns lists the columns of a row, fanfare.notifications AS n, in the order of targets. The
// index of the primary key has all of them.
const columns = `n.activity_id, ` + seenAt + `, ` + readAt + `, n.archived_at, ` + snoozedTo + `,
    n.reasons, n.group_id, n.created_at, n.resource_id, n.visibility::text, n.party`

func (r *row) targets() []any {
	return []any{
		(*[16]byte)(&r.id), &r.seenAt, &r.readAt, &r.archivedAt, &r.snoozedUntil,
		(*int16)(&r.reasons), (*zeronull.UUID)(&r.groupID), &r.createdAt,
		(*[16]byte)(&r.resource), &r.visibility, &r.party,
	}
}
