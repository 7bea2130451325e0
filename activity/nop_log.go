package activity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// NopLog is the log of an application that disables recording: it keeps nothing and finds nothing.
// It refuses what the other logs refuse, so that errors are detected nevertheless. The zero value
// works.
type NopLog struct {
	Hooks Hooks // only the Before hooks are called
}

// Append refuses envelopes as memlog.Log.Append does. For the others it returns the activities that
// a log would record, without an id, RecordedAt and IPHash, and with Created false.
func (l NopLog) Append(ctx context.Context, envelopes ...Envelope) ([]Recorded, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("record activities: %w", err)
	}
	drafts, err := l.Hooks.Drafts(ctx, DefaultMaxPayload, envelopes)
	if err != nil {
		return nil, err
	}
	recorded := make([]Recorded, len(drafts))
	for i, d := range drafts {
		recorded[i] = Recorded{Activity: d.Activity}
	}
	return recorded, nil
}

// Get returns ErrNotFound.
func (NopLog) Get(ctx context.Context, _, id uuid.UUID) (Activity, error) {
	if err := ctx.Err(); err != nil {
		return Activity{}, fmt.Errorf("read activity %s: %w", id, err)
	}
	return Activity{}, fmt.Errorf("activity %s: %w", id, ErrNotFound)
}

// List returns an empty page. It refuses an invalid filter.
func (NopLog) List(ctx context.Context, _ uuid.UUID, f Filter, _ Page) ([]Activity, uuid.UUID, error) {
	if err := f.Validate(); err != nil {
		return nil, uuid.Nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, uuid.Nil, fmt.Errorf("read the log: %w", err)
	}
	return []Activity{}, uuid.Nil, nil
}

// Count returns exactly 0. It refuses an invalid filter.
func (NopLog) Count(ctx context.Context, _ uuid.UUID, f Filter, _ int) (int, bool, error) {
	if err := f.Validate(); err != nil {
		return 0, false, err
	}
	if err := ctx.Err(); err != nil {
		return 0, false, fmt.Errorf("count the log: %w", err)
	}
	return 0, true, nil
}
