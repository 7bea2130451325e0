package demo

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/outbox"
)

// service is the sample application. It keeps signals, and records an activity in the transaction
// of each change.
type service struct {
	db *pgxpool.Pool // as demo_app
}

// setLookback changes a signal.
func (s *service) setLookback(ctx context.Context, d deed, days int) (done, error) {
	return s.change(ctx, d.envelope(map[string]any{"lookback": days}),
		`UPDATE demo.signals SET lookback = $3 WHERE tenant_id = $1 AND id = $2`, days)
}

// setStage moves a signal on its way into production.
func (s *service) setStage(ctx context.Context, d deed, stage string) (done, error) {
	return s.change(ctx, d.envelope(map[string]any{"stage": stage}),
		`UPDATE demo.signals SET stage = $3 WHERE tenant_id = $1 AND id = $2`, stage)
}

// addNote keeps a note on a signal.
func (s *service) addNote(ctx context.Context, d deed, body string) (done, error) {
	return s.change(
		ctx,
		d.envelope(map[string]any{"body": body}),
		`INSERT INTO demo.notes (tenant_id, signal_id, author_id, body) VALUES ($1, $2, $3, $4)`,
		principalID(d.actor),
		body,
	)
}

// finishRun counts a run; called again with the same correlation it counts and tells of it no
// second time.
func (s *service) finishRun(ctx context.Context, d deed) (done, error) {
	return s.change(ctx, d.envelope(map[string]any{"sharpe": 1.42}),
		`UPDATE demo.signals SET runs = runs + 1 WHERE tenant_id = $1 AND id = $2`)
}

// change executes one statement, whose $1 and $2 are the tenant and the signal, and records it.
func (s *service) change(ctx context.Context, e activity.Envelope, statement string, args ...any) (done, error) {
	return s.transact(ctx, e, func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) error {
		return exactlyOne(tx.Exec(ctx, statement, append([]any{e.TenantID, e.ResourceID}, args...)...))
	})
}

// createSignal makes a signal in a folder. The application chooses its id on the way, and tells the
// envelope.
func (s *service) createSignal(ctx context.Context, d deed, folder string) (done, error) {
	e := d.envelope(map[string]any{"folder": folder})
	e.ResourceID = uuid.Nil
	return s.transact(ctx, e, func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) error {
		e.ResourceID = d.signalID()
		err := exactlyOne(
			tx.Exec(
				ctx,
				`INSERT INTO demo.signals (tenant_id, id, name) VALUES ($1, $2, $3)`,
				e.TenantID,
				e.ResourceID,
				d.signal,
			),
		)
		if err != nil {
			return err
		}
		return exactlyOne(tx.Exec(ctx, `
			INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type, name)
			VALUES ($1, $2, $3, $4, 'signal', $5)`, e.TenantID, e.ResourceID, resourceID(folder), e.ActorPrincipalID, d.signal))
	})
}

// deleteSignal removes a signal and its place in the directory. Nobody could tell afterwards whose
// it was and where it stood, so the envelope does.
func (s *service) deleteSignal(ctx context.Context, d deed) (done, error) {
	return s.transact(ctx, d.envelope(nil), func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) error {
		err := tx.QueryRow(ctx, `
			DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2
			RETURNING owner_principal_id, parent_id, name`, e.TenantID, e.ResourceID).Scan(&e.OwnerID, &e.ParentID, &e.ResourceName)
		if err != nil {
			return err
		}
		return exactlyOne(
			tx.Exec(ctx, `DELETE FROM demo.signals WHERE tenant_id = $1 AND id = $2`, e.TenantID, e.ResourceID),
		)
	})
}

// transact makes a change and records it, both or neither.
func (s *service) transact(
	ctx context.Context,
	e activity.Envelope,
	fn func(context.Context, pgx.Tx, *activity.Envelope) error,
) (done, error) {
	watch := &stopwatch{Beginner: s.db}
	_, recorded, err := outbox.TxActivity(
		ctx,
		watch,
		e,
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (struct{}, error) {
			return struct{}{}, fn(ctx, tx, e)
		},
	)
	if err != nil {
		return done{}, fmt.Errorf("%s: %w", e.Action, err)
	}
	return done{activityID: recorded.ID, committedAt: watch.committedAt}, nil
}

// failHalfway changes a signal and records that, and then does what the table refuses; all of it is
// rolled back.
func (s *service) failHalfway(ctx context.Context, d deed) (done, error) {
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return done{}, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	const setLookback = `UPDATE demo.signals SET lookback = $3 WHERE tenant_id = $1 AND id = $2`
	_, recorded, err := outbox.TxActivity(
		ctx,
		tx,
		d.envelope(nil),
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (pgconn.CommandTag, error) {
			return tx.Exec(ctx, setLookback, e.TenantID, e.ResourceID, 90)
		},
	)
	if err != nil {
		return done{}, fmt.Errorf("%s: %w", d.action, err)
	}
	_, err = tx.Exec(ctx, setLookback, d.tenantID(), d.signalID(), 1000)
	if sqlState(err) != "23514" { // check_violation
		return done{}, fmt.Errorf("a lookback of 1000 days was not refused: %v", err)
	}
	return done{activityID: recorded.ID}, tx.Rollback(ctx)
}

// revokeRoles takes from somebody every role that they hold on a resource.
func (s *service) revokeRoles(ctx context.Context, tenant, who, on string) error {
	return exactlyOne(s.db.Exec(ctx, `
		UPDATE fanfare.role_bindings SET revoked_at = now()
		WHERE tenant_id = $1 AND principal_id = $2 AND scope_resource_id = $3 AND revoked_at IS NULL`,
		tenantID(tenant), principalID(who), resourceID(on)))
}

func exactlyOne(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() != 1 {
		return fmt.Errorf("%d rows affected, want 1", tag.RowsAffected())
	}
	return err
}

func sqlState(err error) string {
	if failed := (*pgconn.PgError)(nil); errors.As(err, &failed) {
		return failed.Code
	}
	return ""
}
