// Package feed reads the activities of the log that a principal may see.
package feed

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// DB is a *pgxpool.Pool or a *pgx.Conn.
type DB interface {
	pg.Querier
	pg.Batcher
}

// ReadBudget is the maximum number of activities of the filter that List reads.
const ReadBudget = 5_000

// Request selects part of a feed.
type Request struct {
	Principal activity.Principal
	Filter    activity.Filter
	Page      activity.Page
}

// List returns the activities of the filter that the principal may see now, newest first. next is
// the Page.Before of the next page, or uuid.Nil after the last. Consecutive pages neither skip nor
// repeat an activity.
//
// List reads at most ReadBudget activities. A page may therefore have fewer activities than its
// limit, even none, and still have a next. The error is an *invalid.Error if the filter is invalid.
func List(ctx context.Context, db DB, r Request) (found []activity.Activity, next uuid.UUID, err error) {
	log := pglog.New(db)
	ids, next, err := visibleIDs(ctx, db, log, r)
	if err != nil || len(ids) == 0 {
		return []activity.Activity{}, next, err
	}
	found, err = log.Read(ctx, r.Principal.TenantID, ids)
	return found, next, err
}

// visibleIDs returns the ids of the activities that List returns. It reads headers, since most of
// the activities of a log may be invisible to the principal.
func visibleIDs(
	ctx context.Context,
	db DB,
	log *pglog.Log,
	r Request,
) (ids []uuid.UUID, next uuid.UUID, err error) {
	limit := activity.DefaultPage
	if r.Page.Limit > 0 {
		limit = min(r.Page.Limit, activity.MaxPage)
	}
	before, chunk := r.Page.Before, min(limit+1, activity.MaxPage)
	for budget := ReadBudget; ; {
		chunk = min(chunk, budget)
		page := activity.Page{Limit: chunk, Before: before}
		headers, older, err := log.ListHeaders(ctx, r.Principal.TenantID, r.Filter, page)
		if err != nil {
			return nil, uuid.Nil, err
		}
		allowed, err := canView(ctx, db, r.Principal, headers)
		if err != nil {
			return nil, uuid.Nil, err
		}
		for i := range headers {
			if !allowed[i] {
				continue
			}
			if len(ids) == limit {
				return ids, ids[limit-1], nil
			}
			ids = append(ids, headers[i].ID)
		}
		if budget -= len(headers); older == uuid.Nil || len(headers) < chunk || budget == 0 {
			return ids, older, nil
		}
		before = older
		chunk = min(max(chunk, len(headers)*(limit+1-len(ids))/max(1, len(ids))), activity.MaxPage)
	}
}

// Get returns an activity that the principal may see now, or activity.ErrNotFound.
func Get(ctx context.Context, db DB, principal activity.Principal, id uuid.UUID) (activity.Activity, error) {
	a, err := pglog.New(db).Get(ctx, principal.TenantID, id)
	if err != nil {
		return activity.Activity{}, err
	}
	allowed, err := canView(ctx, db, principal, []activity.Activity{a})
	if err != nil {
		return activity.Activity{}, err
	}
	if !allowed[0] {
		return activity.Activity{}, fmt.Errorf("activity %s: %w", id, activity.ErrNotFound)
	}
	return a, nil
}

func canView(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	activities []activity.Activity,
) ([]bool, error) {
	queries := make([]directory.AccessQuery, len(activities))
	for i := range activities {
		queries[i] = directory.AccessQueryFor(&activities[i])
	}
	return directory.CanView(ctx, db, principal, queries)
}
