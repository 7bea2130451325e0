package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/frontier"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/render"
)

// Recorded implements Log with the activity log in PostgreSQL.
type Recorded struct {
	Pool      *pgxpool.Pool
	Addressed bool            // whether streams have only the activities with the delivery channel tenant
	Catalog   *render.Catalog // renders the events; nil renders the defaults
}

// Settled implements Log.
//
// The outbox is read through its lanes' first rows, which are the oldest up to what a transaction
// takes to record: a lane is ordered by the time of recording. A replayed dead letter is at its
// end.
func (l Recorded) Settled(ctx context.Context, f *frontier.Frontier) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, settledTimeout)
	defer cancel()
	open, err := f.Observe(ctx, l.Pool)
	if err != nil {
		return time.Time{}, err
	}
	var pending *time.Time
	err = l.Pool.QueryRow(ctx, `
		SELECT least(
			(SELECT min(recorded_at) FROM fanfare.parked),
			(SELECT min(recorded_at) FROM fanfare.fan_out_jobs),
			(
				SELECT min(first.recorded_at)
				FROM generate_series(0, 63) AS l (lane)
				CROSS JOIN LATERAL (
					SELECT o.recorded_at FROM fanfare.outbox AS o WHERE o.lane = l.lane ORDER BY o.seq LIMIT 1
				) AS first
			)
		)`).Scan(&pending)
	if err != nil {
		return time.Time{}, fmt.Errorf("find the oldest pending activity: %w", err)
	}
	if pending != nil {
		return earlier(open.Until, pending.Add(-time.Second)), nil
	}
	return open.Until, nil
}

// settledTimeout bounds the statements of Settled.
const settledTimeout = 3 * time.Second

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
