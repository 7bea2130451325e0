package explain

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// DryRun is what would become of an envelope.
type DryRun struct {
	Existing uuid.UUID // the activity that the envelope would be a duplicate of; all else is then zero
	Warning  string    // of the taxonomy, in warn mode
	Channels []string  // the channels of the activity besides those of its recipients
	// Undeliverable is why the activity would become a dead letter; empty if it can be delivered.
	Undeliverable string
	Audience      Audience
}

// DryRun records an envelope, explains the activity and rolls back. The error is an *invalid.Error
// if the envelope violates a rule, and activity.ErrNotFound if the asker is no operator and does
// not manage the resource: what the envelope says of its owner and its parent counts for nothing.
func (x *Explainer) DryRun(ctx context.Context, by Asker, e activity.Envelope, p Page) (DryRun, error) {
	tx, err := x.DB.Begin(ctx)
	if err != nil {
		return DryRun{}, fmt.Errorf("dry run: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	recorded, err := outbox.Record(ctx, tx, e)
	if err != nil {
		return DryRun{}, err
	}
	if !by.Operator {
		manager, err := directory.IsManager(ctx, tx, by.Principal, e.ResourceID)
		if err != nil {
			return DryRun{}, err
		}
		if !manager {
			return DryRun{}, fmt.Errorf("resource %s: %w", e.ResourceID, activity.ErrNotFound)
		}
	}
	if !recorded.Created {
		return DryRun{Existing: recorded.ID}, nil
	}
	result := DryRun{Warning: recorded.Warning}
	if result.Channels, err = fanout.SharedChannels(&recorded.Activity, x.Channels, x.Stream); err != nil {
		result.Undeliverable = err.Error()
		return result, nil
	}
	found, next, err := x.find(ctx, tx, &recorded.Activity, false, p)
	if err != nil {
		return DryRun{}, fmt.Errorf("dry run: %w", err)
	}
	_ = tx.Rollback(ctx) // before the directory is read on another connection
	result.Audience.Next = next
	result.Audience.Members, err = x.members(ctx, by, found)
	return result, err
}
