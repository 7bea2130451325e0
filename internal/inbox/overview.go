package inbox

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Overview returns what List returns, with the actors, and what Count returns of the unread
// notifications. It counts first, so that the first page has every notification that is counted.
func Overview(ctx context.Context, db DB, principal activity.Principal, q Query) (page Page, unread int, err error) {
	if err := q.Validate(); err != nil {
		return Page{}, 0, err
	}
	if !q.tested() {
		page, unread, err = overviewWhole(ctx, db, principal, q)
	} else if unread, err = Count(ctx, db, principal, Unread); err == nil {
		page, err = List(ctx, db, principal, q)
	}
	if err == nil {
		err = page.nameActors(ctx, db)
	}
	if err != nil {
		return Page{}, 0, err
	}
	return page, unread, nil
}

// overviewWhole is Overview for a selection that nothing is tested of. It reads the unread
// notifications together with the first part of the page, and decides about all their activities
// with one statement.
func overviewWhole(
	ctx context.Context, db DB, principal activity.Principal, q Query,
) (page Page, unread int, err error) {
	viewer, states := directory.NewViewer(principal), []State{Unread}
	var groups newestGroups
	first := &firstPart{}
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	queueGroups(batch, principal, states, uuid.Max, &groups)
	newest{
		state: q.State, below: below(q.After), limit: feed.FirstPart(pageLimit(q.Limit)),
	}.queue(batch, principal, &first.rows)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return Page{}, 0, fmt.Errorf("read the inbox: %w", err)
	}
	allowed, err := viewer.CanView(ctx, db, append(groups.queries(), first.queries(principal)...))
	if err != nil {
		return Page{}, 0, err
	}
	n := len(groups.groups)
	groups.allowed, first.allowed = slices.Clip(allowed[:n]), allowed[n:]
	if err := groups.decideRest(ctx, db, viewer, states, uuid.Max); err != nil {
		return Page{}, 0, err
	}
	if err := first.decideRest(ctx, db, viewer); err != nil {
		return Page{}, 0, err
	}
	tallies := make([]tally, 1)
	groups.addTo(tallies)
	counts, err := finish(ctx, db, viewer, states, tallies)
	if err != nil {
		return Page{}, 0, err
	}
	if page, err = list(ctx, db, viewer, q, first); err != nil {
		return Page{}, 0, err
	}
	return page, counts[0], nil
}

// nameActors adds the entries of the actors that were not read.
func (p *Page) nameActors(ctx context.Context, db DB) error {
	if p.Actors == nil {
		p.Actors = map[activity.Principal]directory.Actor{}
	}
	var others []activity.Principal
	for i := range p.Items {
		actor := p.Items[i].Activity.Actor()
		if _, read := p.Actors[actor]; !read {
			p.Actors[actor] = directory.Actor{} // if the directory does not contain it
			others = append(others, actor)
		}
	}
	if len(others) == 0 {
		return nil
	}
	named, err := directory.NameActors(ctx, db, others)
	maps.Copy(p.Actors, named)
	return err
}
