package explain

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Draft is an envelope that is not recorded.
type Draft struct {
	ResourceID uuid.UUID
	// Record records the envelope in a transaction, which is rolled back. created is false if the
	// activity existed already.
	Record func(ctx context.Context, tx pgx.Tx) (id uuid.UUID, created bool, err error)
	// Recordable reports that the asker may record the envelope.
	Recordable bool
}

// DryRun is what would become of an envelope.
type DryRun struct {
	Existing uuid.UUID // the activity that the envelope is a duplicate of; all else is then zero
	Warning  string    // of the taxonomy, in warn mode
	Channels []string  // the channels of the activity besides those of its recipients
	// Undeliverable is why the activity would become a dead letter; empty if it can be delivered.
	Undeliverable string
	Audience      *Audience // nil for an asker who may not ask about others
}

// DryRun records an envelope, explains the activity, and rolls back. An asker who may not record
// the envelope must be an operator or manage the resource, or the error is activity.ErrNotFound.
// The audience is for those alone, too: what the envelope says of the resource's owner and parent
// gives no right. Every other error is that of Record.
func (x *Explainer) DryRun(ctx context.Context, by Asker, draft Draft, p Page) (DryRun, error) {
	manages := by.Operator
	if !manages {
		var err error
		if manages, err = directory.IsManager(ctx, x.DB, by.Principal, draft.ResourceID); err != nil {
			return DryRun{}, err
		}
	}
	if !manages && !draft.Recordable {
		return DryRun{}, fmt.Errorf("resource %s: %w", draft.ResourceID, activity.ErrNotFound)
	}
	result, found, err := x.tryOut(ctx, by, draft, manages, p)
	if err != nil || found == nil {
		return result, err
	}
	result.Audience.Members, err = x.members(ctx, by, found)
	return result, err
}

// tryOut records, reads a page of the audience if it is asked for, and rolls back.
func (x *Explainer) tryOut(
	ctx context.Context,
	by Asker,
	draft Draft,
	withAudience bool,
	p Page,
) (result DryRun, found *findings, err error) {
	tx, err := x.DB.Begin(ctx)
	if err != nil {
		return DryRun{}, nil, fmt.Errorf("dry run: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	id, created, err := draft.Record(ctx, tx)
	if err != nil {
		return DryRun{}, nil, err
	}
	if !created {
		return DryRun{Existing: id}, nil, nil
	}
	a, err := pglog.New(tx).Get(ctx, by.TenantID, id)
	if err != nil {
		return DryRun{}, nil, err
	}
	result.Warning = a.Warning
	if result.Channels, err = fanout.SharedChannels(&a, x.Channels, x.Stream); err != nil {
		result.Undeliverable = err.Error()
		return result, nil, nil
	}
	if !withAudience || a.ResourceID != draft.ResourceID {
		return result, nil, nil
	}
	result.Audience = &Audience{}
	found, result.Audience.Next, err = x.find(ctx, tx, &a, false, p)
	if err != nil {
		return DryRun{}, nil, fmt.Errorf("dry run: %w", err)
	}
	return result, found, nil
}
