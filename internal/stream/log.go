package stream

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/render"
)

// Recorded implements Log with the activity log in PostgreSQL.
type Recorded struct {
	Pool      *pgxpool.Pool
	Addressed bool            // whether streams have only the activities with the delivery channel tenant
	Catalog   *render.Catalog // renders the events; nil renders the defaults
}

// Since implements Log.
func (l Recorded) Since(ctx context.Context, r SinceRequest) (SincePage, error) {
	return pg.RetryStale(l.Pool, func() (SincePage, error) { return l.since(ctx, r) })
}

func (l Recorded) since(ctx context.Context, r SinceRequest) (SincePage, error) {
	page, err := pglog.New(l.Pool).Since(ctx, pglog.SinceRequest{
		Tenant: r.Tenant, After: r.After, Limit: r.Limit, AddressedOnly: l.Addressed,
	})
	if err != nil {
		return SincePage{}, err
	}
	list := make([]*activity.Activity, len(page.Found))
	for i := range page.Found {
		list[i] = &page.Found[i]
	}
	events, err := l.Catalog.Events(ctx, l.Pool, list)
	if err != nil {
		return SincePage{}, err
	}
	return SincePage{Events: events, Next: page.Next, More: page.More}, nil
}
