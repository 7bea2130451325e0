// Package notificationlog records the activity by which a principal sends itself a notification.
package notificationlog

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
)

// Test records notification.tested, a private activity about the principal and with the principal
// as its target, and returns its id. The actor is activity.System, because no principal is notified
// of its own actions. It passes the way of every activity: the worker notifies the principal, and
// publishes the event on the principal's channel alone.
func Test(ctx context.Context, db pg.Beginner, principal activity.Principal) (id uuid.UUID, err error) {
	e := builtin.NotificationTested{}.On(principal.TenantID, principal.PrincipalID)
	e.ActorPrincipalID, e.TargetPrincipalID = activity.System, principal.PrincipalID
	e.Visibility, e.DeliveryChannels = activity.Private, []string{activity.ToUser}
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		recorded, err := outbox.Record(ctx, tx, e)
		id = recorded.ID
		return err
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("record %s: %w", e.Action, err)
	}
	return id, nil
}
