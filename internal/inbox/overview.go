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
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// firstPart is the first part of a list, with the decisions about its activities.
type firstPart struct {
	part
	allowed []bool
}

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
// notifications together with the first part of the page, decides about all their activities with
// one statement, and reads the actors of that part.
func overviewWhole(
	ctx context.Context, db DB, principal activity.Principal, q Query,
) (page Page, unread int, err error) {
	viewer := directory.NewViewer(principal)
	var groups newestGroups
	var first firstPart
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	queueGroups(batch, principal, []State{Unread}, uuid.Max, &groups)
	queueWhole(batch, principal, q.State, q.After, pageLimit(q.Limit)+1, &first.part)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return Page{}, 0, fmt.Errorf("read the inbox: %w", err)
	}
	counted, actors, err := decide(ctx, db, viewer, &groups, &first)
	if err != nil {
		return Page{}, 0, err
	}
	tallies := make([]tally, 1)
	groups.addTo(tallies, counted)
	counts, err := finish(ctx, db, viewer, []State{Unread}, tallies)
	if err != nil {
		return Page{}, 0, err
	}
	if page, err = list(ctx, db, viewer, q, &first); err != nil {
		return Page{}, 0, err
	}
	page.Actors = actors
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

// decide decides about the groups and the first part, and reads the actors of the latter.
func decide(
	ctx context.Context, db DB, viewer *directory.Viewer, groups *newestGroups, first *firstPart,
) (counted []bool, actors map[activity.Principal]directory.Actor, err error) {
	queries := groups.queries()
	actors = map[activity.Principal]directory.Actor{}
	for i := range first.rows {
		queries = append(queries, directory.AccessQueryFor(&first.rows[i].Activity))
		actors[first.rows[i].Activity.Actor()] = directory.Actor{}
	}
	batch := &pgx.Batch{}
	viewer.Queue(batch, queries, func(allowed []bool) {
		counted, first.allowed = allowed[:len(groups.groups)], allowed[len(groups.groups):]
	})
	if len(actors) > 0 {
		directory.QueueActors(batch, slices.Collect(maps.Keys(actors)), actors)
	}
	if batch.Len() == 0 {
		return counted, actors, nil
	}
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, nil, fmt.Errorf("read the inbox: %w", err)
	}
	return counted, actors, nil
}
