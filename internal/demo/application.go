package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
)

// The sample application's schema, and the roles that its two processes connect as. Both record
// through fanfare_writer and have no privilege on Fanfare's tables of activities. The application
// maintains its directory in Fanfare's tables, so demo_app also writes those.
const sampleSchema = `
CREATE SCHEMA demo;
CREATE TABLE demo.signals (
    tenant_id uuid NOT NULL,
    id        uuid NOT NULL,
    name      text NOT NULL,
    lookback  int  NOT NULL DEFAULT 20 CHECK (lookback BETWEEN 1 AND 250),
    stage     text NOT NULL DEFAULT 'draft',
    runs      int  NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
INSERT INTO demo.signals (tenant_id, id, name)
    SELECT tenant_id, id, name FROM fanfare.resources WHERE type = 'signal';
CREATE TABLE demo.notes (
    tenant_id uuid NOT NULL,
    signal_id uuid NOT NULL,
    author_id uuid NOT NULL,
    body      text NOT NULL
);
CREATE ROLE demo_app LOGIN PASSWORD '%s' IN ROLE fanfare_writer;
GRANT USAGE ON SCHEMA demo TO demo_app;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON demo.signals, demo.notes, fanfare.resources, fanfare.role_bindings TO demo_app;
CREATE ROLE demo_ledger LOGIN PASSWORD '%s' IN ROLE fanfare_writer;`

// recording describes the activity that a scene records. Without an action the scene records none.
type recording struct {
	tenant, actor, signal string
	action                string
	target                string              // a person's name, or ""
	visibility            activity.Visibility // "" selects the default
	channels              []string
	correlation           uuid.UUID
}

// newEnvelope returns the activity as the application records it.
func (r recording) newEnvelope(payload map[string]any) activity.Envelope {
	e := activity.Envelope{
		TenantID: tenantID(r.tenant), ActorPrincipalID: principalID(r.actor),
		ResourceID: resourceID(r.signal), ResourceType: "signal",
		Action: r.action, Visibility: r.visibility, DeliveryChannels: r.channels, CorrelationID: r.correlation,
		Payload: payload, RequestID: "demo", UserAgent: "fanfare-demo",
	}
	if r.target != "" {
		e.TargetPrincipalID = principalID(r.target)
	}
	return e
}

// outcome is what a scene's actors did.
type outcome struct {
	activityID  uuid.UUID // also of a recording that was rolled back; uuid.Nil if there was none
	committedAt time.Time // when COMMIT, or the request that leads to it, was sent; zero after a rollback

	requests   []Request // to the API
	mismatches []string  // unexpected answers of the API
}

// service is the sample application. It stores signals and records an activity in the transaction
// of each change.
type service struct {
	db *pgxpool.Pool // as demo_app
}

// setLookback changes a signal.
func (s *service) setLookback(ctx context.Context, r recording, days int) (outcome, error) {
	return s.change(ctx, r.newEnvelope(map[string]any{"lookback": days}),
		`UPDATE demo.signals SET lookback = $3 WHERE tenant_id = $1 AND id = $2`, days)
}

// setStage moves a signal to another stage.
func (s *service) setStage(ctx context.Context, r recording, stage string) (outcome, error) {
	return s.change(ctx, r.newEnvelope(map[string]any{"stage": stage}),
		`UPDATE demo.signals SET stage = $3 WHERE tenant_id = $1 AND id = $2`, stage)
}

// addNote adds a note to a signal.
func (s *service) addNote(ctx context.Context, r recording, body string) (outcome, error) {
	return s.change(ctx, r.newEnvelope(map[string]any{"body": body}),
		`INSERT INTO demo.notes (tenant_id, signal_id, author_id, body) VALUES ($1, $2, $3, $4)`,
		principalID(r.actor), body)
}

// finishRun counts a run. A second call with the same correlation id counts and records nothing.
func (s *service) finishRun(ctx context.Context, r recording) (outcome, error) {
	return s.change(ctx, r.newEnvelope(map[string]any{"sharpe": 1.42}),
		`UPDATE demo.signals SET runs = runs + 1 WHERE tenant_id = $1 AND id = $2`)
}

// change executes one statement, whose $1 and $2 are the tenant and the signal, and records it.
func (s *service) change(
	ctx context.Context, e activity.Envelope, statement string, args ...any,
) (outcome, error) {
	return s.transact(ctx, e, func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) error {
		return exactlyOne(tx.Exec(ctx, statement, append([]any{e.TenantID, e.ResourceID}, args...)...))
	})
}

// createSignal creates a signal in a folder. Its id is chosen inside the transaction.
func (s *service) createSignal(ctx context.Context, r recording, folder string) (outcome, error) {
	e := r.newEnvelope(map[string]any{"folder": folder})
	e.ResourceID = uuid.Nil
	return s.transact(ctx, e, func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) error {
		e.ResourceID = resourceID(r.signal)
		err := exactlyOne(tx.Exec(ctx, `INSERT INTO demo.signals (tenant_id, id, name) VALUES ($1, $2, $3)`,
			e.TenantID, e.ResourceID, r.signal))
		if err != nil {
			return err
		}
		return exactlyOne(tx.Exec(ctx, `
			INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type, name)
			VALUES ($1, $2, $3, $4, 'signal', $5)`,
			e.TenantID, e.ResourceID, resourceID(folder), e.ActorPrincipalID, r.signal))
	})
}

// deleteSignal deletes a signal and its resource. The envelope keeps the owner, the parent and the
// name, which the directory no longer contains when the activity is delivered.
func (s *service) deleteSignal(ctx context.Context, r recording) (outcome, error) {
	return s.transact(ctx, r.newEnvelope(nil), func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) error {
		err := tx.QueryRow(ctx, `
			DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2
			RETURNING owner_principal_id, parent_id, name`, e.TenantID, e.ResourceID).
			Scan(&e.OwnerID, &e.ParentID, &e.ResourceName)
		if err != nil {
			return err
		}
		return exactlyOne(tx.Exec(ctx, `DELETE FROM demo.signals WHERE tenant_id = $1 AND id = $2`,
			e.TenantID, e.ResourceID))
	})
}

// transact changes and records in one transaction.
func (s *service) transact(
	ctx context.Context, e activity.Envelope, change func(context.Context, pgx.Tx, *activity.Envelope) error,
) (outcome, error) {
	timed := &timedDB{Beginner: s.db}
	_, recorded, err := outbox.TxActivity(ctx, timed, e,
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (struct{}, error) {
			return struct{}{}, change(ctx, tx, e)
		})
	if err != nil {
		return outcome{}, fmt.Errorf("%s: %w", e.Action, err)
	}
	return outcome{activityID: recorded.ID, committedAt: timed.committedAt}, nil
}

// failHalfway changes a signal, records the change, violates a constraint and rolls back.
func (s *service) failHalfway(ctx context.Context, r recording) (outcome, error) {
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	const setLookback = `UPDATE demo.signals SET lookback = $3 WHERE tenant_id = $1 AND id = $2`
	_, recorded, err := outbox.TxActivity(ctx, tx, r.newEnvelope(nil),
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (pgconn.CommandTag, error) {
			return tx.Exec(ctx, setLookback, e.TenantID, e.ResourceID, 90)
		})
	if err != nil {
		return outcome{}, fmt.Errorf("%s: %w", r.action, err)
	}
	_, err = tx.Exec(ctx, setLookback, tenantID(r.tenant), resourceID(r.signal), 1000)
	if sqlState(err) != "23514" { // check_violation
		return outcome{}, fmt.Errorf("set a lookback of 1000 days: got %v, want a check violation", err)
	}
	return outcome{activityID: recorded.ID}, tx.Rollback(ctx)
}

// revokeRoles revokes every role that a person holds on a resource.
func (s *service) revokeRoles(ctx context.Context, tenant, person, on string) error {
	return exactlyOne(s.db.Exec(ctx, `
		UPDATE fanfare.role_bindings SET revoked_at = now()
		WHERE tenant_id = $1 AND principal_id = $2 AND scope_resource_id = $3 AND revoked_at IS NULL`,
		tenantID(tenant), principalID(person), resourceID(on)))
}

// ledgerSync is a program that records by SQL alone, as a role that is permitted nothing else.
type ledgerSync struct {
	db *pgxpool.Pool // as demo_ledger
}

// record calls fanfare.record_activity.
func (l *ledgerSync) record(ctx context.Context, r recording) (outcome, error) {
	envelope := map[string]any{
		"tenant_id": tenantID(r.tenant), "actor_principal_id": principalID(r.actor),
		"resource_id": resourceID(r.signal), "resource_type": "signal",
		"action": r.action, "payload": map[string]any{"book": "EQ-7"},
	}
	if r.visibility != "" {
		envelope["visibility"] = r.visibility
	}
	if len(r.channels) > 0 {
		envelope["delivery_channels"] = r.channels
	}
	body, err := json.Marshal(envelope)
	if err != nil {
		return outcome{}, err
	}
	tx, err := l.db.Begin(ctx)
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // does nothing after the commit
	var out outcome
	err = tx.QueryRow(ctx, `SELECT fanfare.record_activity($1)`, string(body)).Scan(&out.activityID)
	if err != nil {
		return outcome{}, fmt.Errorf("%s: %w", r.action, err)
	}
	out.committedAt = time.Now()
	return out, tx.Commit(ctx)
}

// checkCannotRead fails unless PostgreSQL refuses to show the role any activity.
func (l *ledgerSync) checkCannotRead(ctx context.Context) error {
	_, err := l.db.Exec(ctx, `SELECT FROM fanfare.activities`)
	if sqlState(err) != "42501" { // insufficient_privilege
		return fmt.Errorf("read activities as a writer: got %v, want insufficient privilege", err)
	}
	return nil
}

// timedDB records when the transaction that it began sent its COMMIT. It is used for one
// transaction.
type timedDB struct {
	pg.Beginner
	committedAt time.Time
}

func (t *timedDB) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := t.Beginner.Begin(ctx)
	return &timedTx{tx, t}, err
}

type timedTx struct {
	pgx.Tx
	db *timedDB
}

func (t *timedTx) Commit(ctx context.Context) error {
	t.db.committedAt = time.Now()
	return t.Tx.Commit(ctx)
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
