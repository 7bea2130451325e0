package activity

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// Tail follows what is recorded in a tenant and passes a filter, by looking again and again.
// Activities come once each, in the order of their ids as far as they were committed in it: each
// look goes back a minute from the newest activity, so that what was committed late comes late.
// What is committed more than a minute after it was recorded, and after others that were recorded a
// minute later, does not come. One goroutine uses it at a time.
type Tail struct {
	log    *PostgresLog
	tenant uuid.UUID
	filter Filter
	low    uuid.UUID // where the next look begins
	seen   map[uuid.UUID]bool
}

// Tail begins a tail with the latest activities, as many as last says at most, for which it calls
// each, the oldest first. The error is an *invalid.Error if the filter is one.
func (l *PostgresLog) Tail(
	ctx context.Context,
	tenant uuid.UUID,
	f Filter,
	last int,
	each func(a *Activity),
) (*Tail, error) {
	t := &Tail{log: l, tenant: tenant, filter: f, seen: map[uuid.UUID]bool{}}
	walk, err := l.Walk(tenant, f)
	if err != nil {
		return nil, err
	}
	newest, err := walk.Begin(ctx)
	if err != nil {
		return nil, err
	}
	t.low = uuidv7.Floor(uuidv7.Time(newest).Add(-latecomer))
	// What stands now and is not among the latest is passed over.
	if err := t.look(ctx, successor(newest), func(*Activity) {}); err != nil {
		return nil, err
	}
	var latest []Activity
	for more := last > 0; more && len(latest) < last; {
		if more, err = walk.Step(ctx, 0, func(a *Activity) bool {
			latest = append(latest, *a)
			return len(latest) == last
		}); err != nil {
			return nil, err
		}
	}
	for _, a := range slices.Backward(latest) {
		t.seen[a.ID] = true
		each(&a)
	}
	return t, nil
}

// Look calls each for what has come since the last look.
func (t *Tail) Look(ctx context.Context, each func(a *Activity)) error {
	return t.look(ctx, uuid.Nil, each)
}

func (t *Tail) look(ctx context.Context, before uuid.UUID, each func(a *Activity)) error {
	walk, err := t.log.Walk(t.tenant, t.filter)
	if err != nil {
		return err
	}
	walk.OldestFirst, walk.After, walk.Before = true, t.low, before
	newest, err := walk.Begin(ctx)
	if err != nil || newest == uuid.Nil {
		return err
	}
	for more := true; more; {
		if more, err = walk.Step(ctx, 0, func(a *Activity) bool {
			if !t.seen[a.ID] {
				t.seen[a.ID] = true
				each(a)
			}
			return false
		}); err != nil {
			return err
		}
	}
	if low := uuidv7.Floor(uuidv7.Time(newest).Add(-latecomer)); slices.Compare(low[:], t.low[:]) > 0 {
		t.low = low
		for id := range t.seen {
			if slices.Compare(id[:], low[:]) <= 0 {
				delete(t.seen, id)
			}
		}
	}
	return nil
}
