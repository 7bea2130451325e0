package watchers

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Ground is a subscription or a role on which a reason, or the permission to see an activity,
// rests.
type Ground struct {
	HolderID       uuid.UUID // the principal itself, or a group that it belongs to
	SubscriptionID uuid.UUID // uuid.Nil for a role
	Scope          string    // of the subscription
	Role           string
	ResourceID     uuid.UUID
	Above          int // 0 on the activity's resource, n on its nth ancestor, Beside
}

// Beside is the Above of a role elsewhere below the parent of the activity's resource.
const Beside = -1

// maxGrounds is the maximum number of subscriptions, and of roles, of a principal that are read.
const maxGrounds = 10

// QueueGrounds queues a statement that reads what concerns principals with regard to an activity,
// nearest first: at most 10 subscriptions and 10 roles of each. They are added to found, by
// principal, when the results of the batch are read.
func QueueGrounds(b *pgx.Batch, a *activity.Activity, principals []uuid.UUID, found map[uuid.UUID][]Ground) {
	b.Queue(`
		SELECT g.principal_id, g.holder_id, g.subscription_id, g.scope, g.role_name, g.resource_id, g.above
		FROM fanfare.grounds($1, $2, $3, $4, $5, $6) AS g`,
		a.TenantID, pg.UUIDs(principals), a.ResourceID, zeronull.UUID(a.ParentID), directory.MaxDepth, maxGrounds,
	).Query(func(rows pgx.Rows) error {
		var id uuid.UUID
		var g Ground
		_, err := pgx.ForEachRow(rows, []any{
			&id, &g.HolderID, (*zeronull.UUID)(&g.SubscriptionID), (*zeronull.Text)(&g.Scope),
			(*zeronull.Text)(&g.Role), &g.ResourceID, &g.Above,
		}, func() error {
			found[id] = append(found[id], g)
			g = Ground{}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read the grounds: %w", err)
		}
		return nil
	})
}
