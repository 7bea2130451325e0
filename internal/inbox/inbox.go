// Package inbox stores and reads notifications: one inbox row for each recipient of an activity,
// written exactly once, in the transaction that settles the activity.
package inbox

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/watchers"
)

// Rows collects notifications that Write stores in one statement. The zero value is empty.
type Rows struct{ rows []newRow }

type newRow struct {
	tenant, principal, activity, resource [16]byte
	group                                 uuid.UUID
	visibility                            activity.Visibility
	reasons                               watchers.Reasons
	party                                 bool
}

// Add adds a notification of an activity for a recipient of its tenant. group is one through which
// a reason holds that does not hold directly; uuid.Nil is none.
func (r *Rows) Add(a *activity.Activity, recipient uuid.UUID, reasons watchers.Reasons, group uuid.UUID) {
	r.rows = append(r.rows, newRow{
		tenant: a.TenantID, principal: recipient, activity: a.ID, resource: a.ResourceID,
		group: group, visibility: a.Visibility, reasons: reasons,
		party: a.ActorPrincipalID == recipient || slices.Contains(a.TargetPrincipalIDs, recipient),
	})
}

// Len returns the number of notifications.
func (r *Rows) Len() int { return len(r.rows) }

// arrays returns the rows as parameters of the statements, in the order of their key, which rules
// out deadlocks between writers.
func (r *Rows) arrays() []any {
	slices.SortFunc(r.rows, func(a, b newRow) int {
		return cmp.Or(bytes.Compare(a.tenant[:], b.tenant[:]), bytes.Compare(a.principal[:], b.principal[:]),
			bytes.Compare(a.activity[:], b.activity[:]))
	})
	n := len(r.rows)
	tenants, principals, activities := make([][16]byte, n), make([][16]byte, n), make([][16]byte, n)
	reasons, groups := make([]int16, n), make([]zeronull.UUID, n)
	resources, visibilities, parties := make([][16]byte, n), make([]string, n), make([]bool, n)
	for i := range r.rows {
		row := &r.rows[i]
		tenants[i], principals[i], activities[i] = row.tenant, row.principal, row.activity
		reasons[i], groups[i] = int16(row.reasons), zeronull.UUID(row.group)
		resources[i], visibilities[i], parties[i] = row.resource, string(row.visibility[:1]), row.party
	}
	return []any{tenants, principals, activities, reasons, groups, resources, visibilities, parties}
}

const (
	insert = `
INSERT INTO fanfare.notifications
    (tenant_id, principal_id, activity_id, reasons, group_id, resource_id, visibility, party)
SELECT u.tenant, u.principal, u.activity, u.reasons, u.group_id, u.resource, u.visibility::"char", u.party
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::uuid[], $6::uuid[], $7::text[], $8::boolean[])
    AS u(tenant, principal, activity, reasons, group_id, resource, visibility, party)`
	insertMissing = insert + ` ON CONFLICT DO NOTHING`
)

// Write stores the notifications. A notification that already exists stays unchanged.
//
// The rows are first inserted in a savepoint as if none existed, which is almost always so: ON
// CONFLICT looks for each row in the primary key before it inserts the row, which takes as long as
// to insert it.
func (r *Rows) Write(ctx context.Context, tx pgx.Tx) error {
	if r.Len() == 0 {
		return nil
	}
	arguments := r.arrays()
	batch := &pgx.Batch{}
	batch.Queue(`SAVEPOINT notifications`)
	batch.Queue(insert, arguments...)
	batch.Queue(`RELEASE SAVEPOINT notifications`)
	err := tx.SendBatch(ctx, batch).Close()
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && server.Code == uniqueViolation {
		if _, err = tx.Exec(ctx, `ROLLBACK TO SAVEPOINT notifications`); err == nil {
			_, err = tx.Exec(ctx, insertMissing, arguments...)
		}
	}
	if err != nil {
		return fmt.Errorf("write %d inbox rows: %w", r.Len(), err)
	}
	return nil
}

const uniqueViolation = "23505"
