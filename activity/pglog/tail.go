package pglog

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// Tail follows the activities of a tenant that pass a filter, by polling. It visits each activity
// once, in the order of ids as far as activities were committed in that order: each poll begins a
// minute before the newest activity, so that one that was committed late is visited late. An
// activity that is committed more than a minute after it was recorded is not visited if another one
// was recorded more than a minute after it and polled before. A Tail is not safe for concurrent
// use.
type Tail struct {
	log     *Log
	tenant  uuid.UUID
	filter  activity.Filter
	from    uuid.UUID // where the next poll begins
	visited map[uuid.UUID]bool
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
	newest, err := walk.Begin(ctx)
	if err != nil {
		return nil, err
	}
	t.from = floorBeforeLag(newest)
	// The activities of the last minute that are not among the newest are skipped.
	if err := t.poll(ctx, successor(newest), func(*activity.Activity) {}); err != nil {
		return nil, err
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
	return t, nil
}

// Poll visits the activities that were committed since the last poll.
func (t *Tail) Poll(ctx context.Context, visit func(a *activity.Activity)) error {
	return t.poll(ctx, uuid.Nil, visit)
}

func (t *Tail) poll(ctx context.Context, before uuid.UUID, visit func(a *activity.Activity)) error {
	walk, err := t.log.Walk(t.tenant, t.filter)
	if err != nil {
		return err
	}
	walk.OldestFirst, walk.After, walk.Before = true, t.from, before
	newest, err := walk.Begin(ctx)
	if err != nil || newest == uuid.Nil {
		return err
	}
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
	if from := floorBeforeLag(newest); bytes.Compare(from[:], t.from[:]) > 0 {
		t.from = from
		for id := range t.visited {
			if bytes.Compare(id[:], from[:]) <= 0 {
				delete(t.visited, id)
			}
		}
	}
	return nil
}

// floorBeforeLag returns the lowest id of the millisecond that precedes a UUIDv7's by commitLag.
func floorBeforeLag(id uuid.UUID) uuid.UUID { return uuidv7.Floor(uuidv7.Time(id).Add(-commitLag)) }
