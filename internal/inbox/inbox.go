// Package inbox stores and reads notifications: one inbox row for each recipient of an activity,
// written exactly once, in the transaction that settles the activity.
package inbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/watchers"
)

// Rows collects notifications that Write stores in one statement. The zero value is empty.
type Rows struct {
	tenants, principals, activities [][16]byte
	reasons                         []int16
	groups                          []zeronull.UUID
}

// Add adds a notification of an activity for a recipient. group is one through which a reason holds
// that does not hold directly; uuid.Nil is none.
func (r *Rows) Add(recipient activity.Principal, activityID uuid.UUID, reasons watchers.Reasons, group uuid.UUID) {
	r.tenants = append(r.tenants, recipient.TenantID)
	r.principals = append(r.principals, recipient.PrincipalID)
	r.activities = append(r.activities, activityID)
	r.reasons = append(r.reasons, int16(reasons))
	r.groups = append(r.groups, zeronull.UUID(group))
}

// Len returns the number of notifications.
func (r *Rows) Len() int { return len(r.reasons) }

// Write stores the notifications. A notification that already exists stays unchanged. Write inserts
// them in the order of their key, which rules out deadlocks between writers.
func (r *Rows) Write(ctx context.Context, tx pgx.Tx) error {
	if r.Len() == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, group_id)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::uuid[])
		              AS u(tenant_id, principal_id, activity_id, reasons, group_id)
		ORDER BY tenant_id, principal_id, activity_id
		ON CONFLICT DO NOTHING`, r.tenants, r.principals, r.activities, r.reasons, r.groups)
	if err != nil {
		return fmt.Errorf("write %d inbox rows: %w", r.Len(), err)
	}
	return nil
}
