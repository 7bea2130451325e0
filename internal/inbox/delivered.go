package inbox

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers"
)

// Delivered is what an inbox holds of one activity.
type Delivered struct {
	Reasons watchers.Reasons
	GroupID uuid.UUID // uuid.Nil if every reason holds directly
	At      time.Time
	// When it was seen, read and archived, and until when it is snoozed; nil if it is not.
	SeenAt, ReadAt, ArchivedAt, SnoozedUntil *time.Time
}

// QueueDelivered queues a statement that reads the notifications of an activity in the inboxes of
// principals. They are added to found, by principal, when the results of the batch are read.
func QueueDelivered(b *pgx.Batch, a *activity.Activity, principals []uuid.UUID, found map[uuid.UUID]Delivered) {
	b.Queue(`
		SELECT n.principal_id, n.reasons, n.group_id, n.created_at, n.seen_at, n.read_at, n.archived_at, n.snoozed_until
		FROM unnest($3::uuid[]) AS u(id)
		CROSS JOIN LATERAL (
		    SELECT * FROM fanfare.notifications AS n
		    WHERE n.tenant_id = $1 AND n.principal_id = u.id AND n.activity_id = $2 LIMIT 1
		) AS n`, a.TenantID, a.ID, pg.UUIDs(principals)).Query(func(rows pgx.Rows) error {
		var id uuid.UUID
		var d Delivered
		_, err := pgx.ForEachRow(rows, []any{
			&id, (*int16)(&d.Reasons), (*zeronull.UUID)(&d.GroupID), &d.At,
			&d.SeenAt, &d.ReadAt, &d.ArchivedAt, &d.SnoozedUntil,
		}, func() error {
			found[id] = d
			d = Delivered{}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read what was delivered: %w", err)
		}
		return nil
	})
}
