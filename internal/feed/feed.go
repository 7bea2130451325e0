// Package feed shows a principal what they may see of the log.
package feed

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers"
)

// DB is a *pgxpool.Pool or a *pgx.Conn.
type DB interface {
	pg.Querier
	pg.Batcher
}

// ReadBudget is how many activities that pass the filter Visible looks at.
const ReadBudget = 5_000

// Visible returns the activities that pass the filter and that the principal may see at this
// moment, newest first. next, unless it is uuid.Nil, is what Page.Before takes for what is older:
// pages that follow one another neither skip nor repeat.
//
// Its work is bounded, so that a page may be short, even empty, and still have a next. The error is
// an *invalid.Error if the filter is.
func Visible(
	ctx context.Context,
	db DB,
	tenant, principal uuid.UUID,
	f activity.Filter,
	p activity.Page,
) (found []activity.Activity, next uuid.UUID, err error) {
	log := pglog.New(db)
	limit := activity.DefaultPage
	if p.Limit > 0 {
		limit = min(p.Limit, activity.MaxPage)
	}
	ids, next, err := visible(ctx, db, log, tenant, principal, f, p, limit)
	if err != nil || len(ids) == 0 {
		return []activity.Activity{}, next, err
	}
	found, err = log.Read(ctx, tenant, ids)
	return found, next, err
}

// visible returns the ids of what Visible does. It reads outlines: of what somebody may not see,
// which can be most of the log, nothing else is wanted.
func visible(
	ctx context.Context,
	db DB,
	log *pglog.Log,
	tenant, principal uuid.UUID,
	f activity.Filter,
	p activity.Page,
	limit int,
) (ids []uuid.UUID, next uuid.UUID, err error) {
	chunk := min(limit+1, activity.MaxPage)
	for budget := ReadBudget; ; {
		chunk = min(chunk, budget)
		read, older, err := log.ListHeaders(ctx, tenant, f, activity.Page{Limit: chunk, Before: p.Before})
		if err != nil {
			return nil, uuid.Nil, err
		}
		seen, err := sees(ctx, db, tenant, principal, read)
		if err != nil {
			return nil, uuid.Nil, err
		}
		for i := range read {
			if !seen[i] {
				continue
			}
			if len(ids) == limit {
				return ids, ids[limit-1], nil
			}
			ids = append(ids, read[i].ID)
		}
		if budget -= len(read); older == uuid.Nil || len(read) < chunk || budget == 0 {
			return ids, older, nil
		}
		p.Before, chunk = older, min(max(chunk, len(read)*(limit+1-len(ids))/max(1, len(ids))), activity.MaxPage)
	}
}

// Get returns an activity that the principal may see at this moment, or activity.ErrNotFound.
func Get(ctx context.Context, db DB, tenant, principal, id uuid.UUID) (activity.Activity, error) {
	a, err := pglog.New(db).Get(ctx, tenant, id)
	if err != nil {
		return activity.Activity{}, err
	}
	seen, err := sees(ctx, db, tenant, principal, []activity.Activity{a})
	if err != nil {
		return activity.Activity{}, err
	}
	if !seen[0] {
		return activity.Activity{}, fmt.Errorf("activity %s: %w", id, activity.ErrNotFound)
	}
	return a, nil
}

func sees(
	ctx context.Context,
	db pg.Querier,
	tenant, principal uuid.UUID,
	read []activity.Activity,
) ([]bool, error) {
	sightings := make([]watchers.Sighting, len(read))
	for i := range read {
		sightings[i] = watchers.SightingOf(&read[i])
	}
	return watchers.Sees(ctx, db, tenant, principal, sightings)
}
