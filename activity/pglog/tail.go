package pglog

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/frontier"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// Tail follows the activities of a tenant that pass a filter, by polling. It visits each activity
// once, as soon as it is committed, however long after it was recorded. The activities of one poll
// are visited in the order of their ids. A Tail is not safe for concurrent use.
//
// A Tail remembers the ids of the activities that were recorded since the oldest open transaction
// of the server began. A transaction that is older than the Tail, and whose beginning the role may
// not see (pg_read_all_stats), counts as an hour old.
type Tail struct {
	log      *Log
	tenant   uuid.UUID
	filter   activity.Filter
	frontier frontier.Frontier
	from     uuid.UUID // where the next poll begins at the latest
	visited  map[uuid.UUID]bool
}

// Tail visits the newest activities, last at most, oldest first, and returns a tail that continues
// after them. The error is an *invalid.Error if the filter is invalid.
func (l *Log) Tail(
	ctx context.Context, tenant uuid.UUID, f activity.Filter, last int, visit func(a *activity.Activity),
) (*Tail, error) {
	t := &Tail{log: l, tenant: tenant, filter: f, visited: map[uuid.UUID]bool{}}
	walk, err := l.Walk(tenant, f)
	if err != nil {
		return nil, err
	}
	open, err := t.frontier.Observe(ctx, l.db)
	if err != nil {
		return nil, err
	}
	newest, err := walk.Begin(ctx)
	if err != nil {
		return nil, err
	}
	// What is committed already is visited only if it is among the newest.
	t.from = uuidv7.Floor(open.Until)
	if newest != uuid.Nil {
		if err := t.visit(ctx, successor(newest), func(*activity.Activity) {}); err != nil {
			return nil, err
		}
	}
	var latest []activity.Activity
	for more := last > 0; more && len(latest) < last; {
		if more, err = walk.Step(ctx, 0, func(a *activity.Activity) bool {
			latest = append(latest, *a)
			return len(latest) == last
		}); err != nil {
			return nil, err
		}
	}
	for _, a := range slices.Backward(latest) {
		t.visited[a.ID] = true
		visit(&a)
	}
	t.from = uuid.Max
	return t, nil
}

// Poll visits the activities that were committed since the last poll.
func (t *Tail) Poll(ctx context.Context, visit func(a *activity.Activity)) error {
	open, err := t.frontier.Observe(ctx, t.log.db)
	if err != nil {
		return err
	}
	// After an error, t.from still covers what the poll before has not visited.
	if since := uuidv7.Floor(open.Since); bytes.Compare(since[:], t.from[:]) < 0 {
		t.from = since
	}
	if err := t.visit(ctx, uuid.Nil, visit); err != nil {
		return err
	}
	t.from = uuid.Max
	until := uuidv7.Floor(open.Until)
	for id := range t.visited {
		if bytes.Compare(id[:], until[:]) < 0 {
			delete(t.visited, id)
		}
	}
	return nil
}

// visit visits the activities from t.from on that have not been visited.
func (t *Tail) visit(ctx context.Context, before uuid.UUID, visit func(a *activity.Activity)) error {
	walk, err := t.log.Walk(t.tenant, t.filter)
	if err != nil {
		return err
	}
	walk.OldestFirst, walk.After, walk.Before = true, t.from, before
	for more := true; more; {
		if more, err = walk.Step(ctx, 0, func(a *activity.Activity) bool {
			if !t.visited[a.ID] {
				t.visited[a.ID] = true
				visit(a)
			}
			return false
		}); err != nil {
			return err
		}
	}
	return nil
}
