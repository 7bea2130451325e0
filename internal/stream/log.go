package stream

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/render"
)

// Recorded is the Log in PostgreSQL.
type Recorded struct {
	Pool      *pgxpool.Pool
	Addressed bool            // streams hold only what asks for the tenant's stream, not every activity
	Catalog   *render.Catalog // renders the events; nil renders the defaults
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
	list := make([]*activity.Activity, len(found))
	for i := range found {
		list[i] = &found[i]
	}
	events, err := l.Catalog.Events(ctx, l.Pool, list)
	if err != nil {
		return nil, uuid.Nil, false, err
	}
	return events, page.Next, page.More, nil
}
