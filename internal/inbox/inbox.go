// Package inbox keeps the notifications: one row for each watcher of an activity, written in the
// transaction that settles the activity, so exactly once.
package inbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/watchers"
)

// Rows collects notifications for one statement. The zero value is empty.
type Rows struct {
	tenants, principals, activities [][16]byte
	reasons                         []int16
}

// Add notes that a watcher is to find the activity in the inbox.
func (r *Rows) Add(tenant, principal, activity uuid.UUID, reasons watchers.Reasons) {
	r.tenants, r.principals, r.activities = append(
		r.tenants,
		tenant,
	), append(
		r.principals,
		principal,
	), append(
		r.activities,
		activity,
	)
	r.reasons = append(r.reasons, int16(reasons))
}

// Len is how many there are.
func (r *Rows) Len() int { return len(r.reasons) }

// Write stores the rows; those that stand already are left as they are. Ordered by key, two writers
// cannot block each other in a circle.
func (r *Rows) Write(ctx context.Context, tx pgx.Tx) error {
	if r.Len() == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[]) AS u(tenant_id, principal_id, activity_id, reasons)
		ORDER BY tenant_id, principal_id, activity_id
		ON CONFLICT DO NOTHING`, r.tenants, r.principals, r.activities, r.reasons)
	if err != nil {
		return fmt.Errorf("write %d inbox rows: %w", r.Len(), err)
	}
	return nil
}
