package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/outbox"
)

// The kinds of transactions.
const (
	changeAlone  = "change"         // one INSERT
	auditRow     = "audit"          // with a row in an audit table
	auditBatched = "audit-batched"  // the same in one round trip
	ownOutbox    = "outbox-by-hand" // with the rows of a log and an outbox like Fanfare's
	riverAudited = "river-audit"    // with a row in an audit table and a River job
	txActivity   = "txactivity"     // outbox.TxActivityWith, strict
	txUnhooked   = "txactivity-db"  // outbox.TxActivity, with the taxonomy enforced by the database alone
	queued       = "queued"         // outbox.Recorder.Queue, strict, in the round trip of the change
)

func transactionNames() []string {
	return []string{changeAlone, auditRow, auditBatched, ownOutbox, riverAudited, txActivity, txUnhooked, queued}
}

var transactions = map[string]func(s *site, ctx context.Context, conn *pgx.Conn) error{
	changeAlone:  (*site).alone,
	auditRow:     (*site).audited,
	auditBatched: (*site).auditedInBatch,
	ownOutbox:    (*site).outboxed,
	riverAudited: (*site).enqueued,
	txActivity:   (*site).recorded,
	txUnhooked:   (*site).recordedUnhooked,
	queued:       (*site).queued,
}

// site is an application with a table of signals, an audit table, and a log and outbox of its own.
type site struct {
	db            *stack.Database
	tenant, actor uuid.UUID
	recorder      outbox.Recorder
	river         *river.Client[pgx.Tx] // that only inserts
	checks        string
}

// auditTable is an audit table as applications have it, with its indexes.
const auditTable = `
CREATE TABLE audit (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id     uuid        NOT NULL,
    actor_id      uuid        NOT NULL,
    resource_id   uuid        NOT NULL,
    resource_type text        NOT NULL,
    action        text        NOT NULL,
    payload       jsonb       NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON audit (tenant_id, created_at);
CREATE INDEX ON audit (tenant_id, resource_id, created_at);
CREATE INDEX ON audit (tenant_id, actor_id, created_at)`

const siteTables = `
CREATE TABLE signals (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, title text NOT NULL);
` + auditTable + `;
CREATE TABLE own_log (LIKE fanfare.activities);
ALTER TABLE own_log ADD PRIMARY KEY (tenant_id, id);
CREATE INDEX ON own_log (tenant_id, actor_principal_id, id);
CREATE INDEX ON own_log (tenant_id, resource_id, id);
CREATE INDEX ON own_log (tenant_id, correlation_id, id);
CREATE INDEX ON own_log (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE TABLE own_outbox (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    activity_id uuid        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);`

func newSite(ctx context.Context, db *stack.Database) (*site, error) {
	s := &site{db: db, tenant: uuid.New(), actor: uuid.New()}
	if err := errors.Join(db.Exec(ctx, siteTables), migrateRiver(ctx, db)); err != nil {
		return nil, err
	}
	var err error
	s.river, err = river.NewClient(riverpgxv5.New(db.Pool), &river.Config{Schema: riverSchema})
	return s, err
}

// reset truncates the tables. The log permits it only with session_replication_role = replica.
func (s *site) reset(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, s.db.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			SET LOCAL session_replication_role = replica;
			TRUNCATE signals, audit, own_log, own_outbox, river.river_job,
			    fanfare.activities, fanfare.outbox, fanfare.idempotency_keys`)
		return err
	})
	if err != nil {
		return fmt.Errorf("empty the tables: %w", err)
	}
	return s.db.Settle(ctx, "signals", "audit", "own_log", "own_outbox", "river.river_job", "fanfare.activities",
		"fanfare.outbox", "fanfare.idempotency_keys")
}

// verify compares the clients' commits with the tables.
func (s *site) verify(ctx context.Context, kind string, commits int64) error {
	var signals, audits, logged, sent, jobs, activities, pending int64
	err := s.db.Pool.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM signals), (SELECT count(*) FROM audit), (SELECT count(*) FROM own_log),
		       (SELECT count(*) FROM own_outbox), (SELECT count(*) FROM river.river_job),
		       (SELECT count(*) FROM fanfare.activities), (SELECT count(*) FROM fanfare.outbox)`,
	).Scan(&signals, &audits, &logged, &sent, &jobs, &activities, &pending)
	if err != nil {
		return err
	}
	var wantAudits, wantLogged, wantJobs, wantActivities int64
	switch kind {
	case auditRow, auditBatched:
		wantAudits = commits
	case ownOutbox:
		wantLogged = commits
	case riverAudited:
		wantAudits, wantJobs = commits, commits
	case txActivity, txUnhooked, queued:
		wantActivities = commits
	}
	if signals != commits || audits != wantAudits || logged != wantLogged || sent != wantLogged || jobs != wantJobs ||
		activities != wantActivities || pending != wantActivities {
		return fmt.Errorf(
			"%d signals, %d audit rows, %d and %d own rows, %d jobs, %d activities, %d pending, of %d commits", signals,
			audits, logged, sent, jobs, activities, pending, commits)
	}
	return nil
}

const (
	insertSignal = `INSERT INTO signals (id, tenant_id, title) VALUES ($1, $2, $3)`
	insertAudit  = `
		INSERT INTO audit (tenant_id, actor_id, resource_id, resource_type, action, payload)
		VALUES ($1, $2, $3, $4, $5, $6)`
	insertOwnLog = `
		INSERT INTO own_log (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at,
		    recorded_at, resource_type, action, visibility, status, severity, category, delivery_channels, payload)
		VALUES ($1, $2, $3, $4, $1, now(), now(), $5, $6, $7, $8, $9, $10, '{}', $11)`
	insertOwnOutbox = `INSERT INTO own_outbox (activity_id) VALUES ($1)`
)

// signalPayload returns the payload of the audit row and of the activity.
func signalPayload() map[string]any {
	return map[string]any{
		"signal_type": "momentum", "title": "Momentum 12", "universe": "developed large caps", "score": 0.7,
		"horizon_days": 20, "tags": []string{"equity", "daily"}, "version": 17,
		"note": "rebalanced after the review of the second quarter",
	}
}

func (s *site) envelope() activity.Envelope {
	return activity.Envelope{
		TenantID: s.tenant, ActorPrincipalID: s.actor, ResourceType: "signal", Action: "signal.created",
		Payload: signalPayload(),
	}
}

func (s *site) alone(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, insertSignal, uuid.New(), s.tenant, "Momentum 12")
		return err
	})
}

func (s *site) audited(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		id := uuid.New()
		if _, err := tx.Exec(ctx, insertSignal, id, s.tenant, "Momentum 12"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertAudit, s.tenant, s.actor, id, "signal", "signal.created", signalPayload())
		return err
	})
}

func (s *site) auditedInBatch(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		id, batch := uuid.New(), &pgx.Batch{}
		batch.Queue(insertSignal, id, s.tenant, "Momentum 12")
		batch.Queue(insertAudit, s.tenant, s.actor, id, "signal", "signal.created", signalPayload())
		return tx.SendBatch(ctx, batch).Close()
	})
}

func (s *site) outboxed(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		id, record := uuid.New(), uuid.Must(uuid.NewV7())
		if _, err := tx.Exec(ctx, insertSignal, id, s.tenant, "Momentum 12"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertOwnLog, record, s.tenant, s.actor, id, "signal", "signal.created", "resource",
			"success", "info", "research", signalPayload())
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertOwnOutbox, record)
		return err
	})
}

// enqueued writes an audit row and inserts a River job, as an application does that delivers with
// River.
func (s *site) enqueued(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		e := s.envelope()
		e.ResourceID = uuid.New()
		if _, err := tx.Exec(ctx, insertSignal, e.ResourceID, s.tenant, "Momentum 12"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertAudit, s.tenant, s.actor, e.ResourceID, e.ResourceType, e.Action, e.Payload)
		if err != nil {
			return err
		}
		_, err = s.river.InsertTx(ctx, tx, changeJob{e}, nil)
		return err
	})
}

func (s *site) recorded(ctx context.Context, conn *pgx.Conn) error {
	_, _, err := outbox.TxActivityWith(ctx, s.recorder, conn, s.envelope(), s.create)
	return err
}

func (s *site) recordedUnhooked(ctx context.Context, conn *pgx.Conn) error {
	_, _, err := outbox.TxActivity(ctx, conn, s.envelope(), s.create)
	return err
}

// create makes the change that is recorded.
func (s *site) create(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (uuid.UUID, error) {
	e.ResourceID = uuid.New()
	_, err := tx.Exec(ctx, insertSignal, e.ResourceID, s.tenant, "Momentum 12")
	return e.ResourceID, err
}

func (s *site) queued(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		e, batch := s.envelope(), &pgx.Batch{}
		e.ResourceID = uuid.New()
		batch.Queue(insertSignal, e.ResourceID, s.tenant, "Momentum 12")
		var recorded outbox.Recorded
		if err := s.recorder.Queue(ctx, batch, e, &recorded); err != nil {
			return err
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}
