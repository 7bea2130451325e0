package feed

import (
	"context"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Reading is a list of activities from which Read takes a page.
type Reading struct {
	Viewer *directory.Viewer
	Filter activity.Filter // must be valid
	Page   activity.Page
	Tested bool // whether some of what Next reads does not pass the filter
	Budget int  // the maximum number of entries to read

	// Next reads the entries older than one, at most limit. Fewer than limit are the last ones.
	// What it reads must not depend on anything that the viewer may see only of some of them.
	Next func(ctx context.Context, before uuid.UUID, limit int) (Part, error)
	// Fetch reads the newest activities that the log contains of those with the ids, which are
	// ordered, newest first, at most limit. Nil reads those that pass the filter; otherwise all
	// must pass it.
	Fetch func(ctx context.Context, ids []uuid.UUID, limit int) ([]activity.Activity, error)
}

// Part is what Reading.Next has read.
type Part struct {
	Headers []activity.Activity // as pglog.Log.ScanHeaders returns them
	Visible []uuid.UUID         // with Reading.Fetch instead of Headers: what the viewer may see, newest first
	Read    int                 // the number of entries, those without a header included
	Last    uuid.UUID           // the oldest entry
}

// Read returns the activities of a list that the viewer may see now and that pass the filter,
// newest first. next is the Page.Before of the next page, or uuid.Nil after the last. Consecutive
// pages neither skip nor repeat an activity, whatever is added meanwhile.
//
// It decides who may see what it has read, and only then compares the visible activities with the
// filter: the pages and the work are the same whatever the filter would match of the others.
func Read(ctx context.Context, db DB, r Reading) (found []activity.Activity, next uuid.UUID, err error) {
	limit := r.Page.EffectiveLimit()
	chunk := limit + 1
	switch {
	case r.Tested:
		chunk = max(chunk, firstChunk)
	case r.Fetch != nil:
		chunk = FirstPart(limit)
	}
	found = []activity.Activity{}
	before, read, least := r.Page.Before, 0, 0
	for budget := r.Budget; ; {
		chunk = min(chunk, budget)
		part, err := r.Next(ctx, before, chunk)
		if err != nil {
			return nil, uuid.Nil, err
		}
		passed, err := passing(ctx, db, r, part, limit+1-len(found))
		if err != nil {
			return nil, uuid.Nil, err
		}
		if found = append(found, passed...); len(found) > limit {
			return found[:limit], found[limit-1].ID, nil
		}
		if part.Read < chunk {
			return found, uuid.Nil, nil
		}
		before = part.Last
		if budget -= part.Read; budget == 0 {
			return found, before, nil
		}
		if read += part.Read; r.Fetch != nil {
			// As many as would fill the page if as few of them were visible as before, and some
			// more; if those did not fill it, twice as many, since all others may be invisible.
			enough := (limit+1-len(found))*read/max(len(found), 1)*5/4 + minWhole
			chunk = min(max(enough, least), maxChunk)
			least = 2 * chunk
		} else {
			chunk = nextChunk(chunk)
		}
	}
}

// FirstPart returns the number of entries that Read reads at first for a page if it has a Fetch.
// The entries are read without their activities: half of them may be invisible.
func FirstPart(limit int) int { return 2 * (limit + 1) }

// passing returns the activities that the viewer may see and that pass the filter, newest first,
// at most limit.
func passing(
	ctx context.Context,
	db DB,
	r Reading,
	part Part,
	limit int,
) ([]activity.Activity, error) {
	if r.Fetch != nil {
		if len(part.Visible) == 0 {
			return nil, nil
		}
		return r.Fetch(ctx, part.Visible, limit)
	}
	ids, err := visible(ctx, db, r.Viewer, part.Headers)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return pglog.New(db).Read(ctx, r.Viewer.Principal.TenantID, ids, r.Filter, limit)
}

// Visible returns the ids of the activities that the principal may see now and that pass the
// filter, in any order. As in Read, nothing that the principal may not see is compared with the
// filter. The filter must be valid.
func Visible(
	ctx context.Context,
	db DB,
	principal activity.Principal,
	headers []activity.Activity,
	f activity.Filter,
) ([]uuid.UUID, error) {
	ids, err := visible(ctx, db, directory.NewViewer(principal), headers)
	if err != nil || len(ids) == 0 || f == (activity.Filter{}) {
		return ids, err
	}
	return pglog.New(db).Matching(ctx, principal.TenantID, ids, f)
}

// visible returns the ids of the activities that the viewer may see, in the given order.
func visible(
	ctx context.Context,
	db pg.Querier,
	viewer *directory.Viewer,
	headers []activity.Activity,
) ([]uuid.UUID, error) {
	allowed, err := canView(ctx, db, viewer, headers)
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, 0, len(headers))
	for i := range headers {
		if allowed[i] {
			ids = append(ids, headers[i].ID)
		}
	}
	return ids, nil
}

func canView(
	ctx context.Context,
	db pg.Querier,
	viewer *directory.Viewer,
	activities []activity.Activity,
) ([]bool, error) {
	queries := make([]directory.AccessQuery, len(activities))
	for i := range activities {
		queries[i] = directory.AccessQueryFor(&activities[i])
	}
	return viewer.CanView(ctx, db, queries)
}
