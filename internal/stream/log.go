package stream

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/watchers"
)

// Recorded is the Log in PostgreSQL.
type Recorded struct {
	Pool      *pgxpool.Pool
	Addressed bool                 // streams hold only what asks for the tenant's stream, not every activity
	Phrases   *activity.Phrasebook // what events say; nil leaves it to the actions' names
}

// Since implements Log.
func (l Recorded) Since(
	ctx context.Context,
	tenant, after uuid.UUID,
	limit int,
) ([]activity.Event, uuid.UUID, bool, error) {
	page, err := pglog.New(l.Pool).Since(ctx, pglog.SinceRequest{
		Tenant: tenant, After: after, Limit: limit, AddressedOnly: l.Addressed,
	})
	found := page.Found
	if err != nil || len(found) == 0 {
		return nil, page.Next, page.More, err
	}
	principals := make([]watchers.Principal, len(found))
	for i, a := range found {
		principals[i] = watchers.Principal{TenantID: tenant, PrincipalID: a.ActorPrincipalID}
	}
	names, err := watchers.NameActors(ctx, l.Pool, principals)
	if err != nil {
		return nil, uuid.Nil, false, err
	}
	events := make([]activity.Event, len(found))
	for i := range found {
		actor := names[principals[i]]
		events[i] = l.Phrases.Event(&found[i], actor.Kind, actor.DisplayName)
	}
	return events, page.Next, page.More, nil
}
