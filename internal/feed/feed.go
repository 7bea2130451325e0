// Package feed reads the activities of the log that a principal may see.
package feed

import (
	"context"
	"errors"
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

// ReadBudget is the maximum number of activities that List reads.
const ReadBudget = 5_000

// The number of activities that List reads at once: at first if the filter tests them, and at most.
const (
	firstChunk = 500
	maxChunk   = 2_000
)

// nextChunk returns the number of activities to read at once after a part that did not suffice.
func nextChunk(chunk int) int { return min(2*max(chunk, firstChunk), maxChunk) }

// minWhole is the minimum number of entries that Read reads after the first part if it has a Fetch.
const minWhole = 16

// Request selects part of a feed.
type Request struct {
	Principal activity.Principal
	ReadsAll  bool // whether the principal may read the whole log by other means
	Filter    activity.Filter
	Page      activity.Page
}

// List returns the activities of the filter that the principal may see now, newest first. next is
// the Page.Before of the next page, or uuid.Nil after the last. Consecutive pages neither skip nor
// repeat an activity.
//
// List reads at most ReadBudget activities. A page may therefore have fewer activities than its
// limit, even none, and still have a next. The error is an *invalid.Error if the filter is invalid.
//
// What List discloses of the activities that the principal may not see is their number in a time,
// and on a resource on which the principal holds a role, the time that the private ones take. It
// reads the log in the order of time, and decides who may see what it has read before it compares
// it with the filter; see Read. It uses the index of a filter only where the principal may see what
// the index holds; see keyOf.
func List(ctx context.Context, db DB, r Request) (found []activity.Activity, next uuid.UUID, err error) {
	if err := r.Filter.Validate(); err != nil {
		return nil, uuid.Nil, err
	}
	scan, err := keyOf(ctx, db, r)
	if err != nil {
		return nil, uuid.Nil, err
	}
	found, next, fits, err := listReached(ctx, db, r, scan)
	if fits || err != nil {
		return found, next, err
	}
	log := pglog.New(db)
	return Read(ctx, db, Reading{
		Viewer: directory.NewViewer(r.Principal), Filter: r.Filter, Page: r.Page,
		Tested: scan.Key != r.Filter, Budget: ReadBudget,
		Next: func(ctx context.Context, before uuid.UUID, limit int) (Part, error) {
			scan.Before, scan.Limit = before, limit
			headers, err := log.ScanHeaders(ctx, scan)
			if err != nil || len(headers) == 0 {
				return Part{}, err
			}
			return Part{Headers: headers, Read: len(headers), Last: headers[len(headers)-1].ID}, nil
		},
	})
}

// keyOf returns the part of the log to scan. Its key has the times of the filter, and of the other
// fields one whose index holds only activities that the principal may know of:
//
//   - the actor or the owner, if that is the principal;
//   - the resource, if the principal holds a role on it, without the private activities of others
//     unless the principal manages it;
//   - any field, if the principal may read the whole log.
func keyOf(ctx context.Context, db DB, r Request) (pglog.Scan, error) {
	f, me := r.Filter, r.Principal.PrincipalID
	scan := pglog.Scan{Tenant: r.Principal.TenantID, Before: r.Page.Before}
	scan.Key = activity.Filter{Since: f.Since, Until: f.Until}
	switch {
	case r.ReadsAll:
		scan.Key.CorrelationID, scan.Key.Resource = f.CorrelationID, f.Resource
		scan.Key.Actor, scan.Key.Owner = f.Actor, f.Owner
	case f.Actor == me:
		scan.Key.Actor = me
	case f.Owner == me:
		scan.Key.Owner = me
	case f.Resource != uuid.Nil:
		access, err := directory.AccessTo(ctx, db, r.Principal, f.Resource)
		if err != nil {
			return pglog.Scan{}, err
		}
		if access.Manager || access.OnChain {
			scan.Key.Resource = f.Resource
		}
		if !access.Manager {
			scan.NotPrivateTo = me
		}
	}
	return scan, nil
}

// Get returns an activity that the principal may see now, or activity.ErrNotFound. It decides about
// an activity that does not exist as about one that does, so that the time does not tell.
func Get(ctx context.Context, db DB, principal activity.Principal, id uuid.UUID) (activity.Activity, error) {
	a, err := pglog.New(db).Get(ctx, principal.TenantID, id)
	missing := errors.Is(err, activity.ErrNotFound)
	if err != nil && !missing {
		return activity.Activity{}, err
	}
	allowed, err := canView(ctx, db, directory.NewViewer(principal), []activity.Activity{a})
	if err != nil {
		return activity.Activity{}, err
	}
	if missing || !allowed[0] {
		return activity.Activity{}, fmt.Errorf("activity %s: %w", id, activity.ErrNotFound)
	}
	return a, nil
}
