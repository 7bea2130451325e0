package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
)

// Recorded is what became of an envelope.
type Recorded = activity.Recorded

// recordedColumns expand the row "r" that fanfare.record_envelope returns; scanRecorded reads them.
const recordedColumns = `r.created, r.field, r.value, r.rule,
	(r.activity).id, (r.activity).tenant_id, (r.activity).actor_principal_id, (r.activity).resource_id, (r.activity).correlation_id,
	(r.activity).target_principal_id, (r.activity).owner_id, (r.activity).parent_id, (r.activity).occurred_at, (r.activity).recorded_at,
	(r.activity).ip_key_id, (r.activity).resource_type, (r.activity).resource_name, (r.activity).action, (r.activity).visibility,
	(r.activity).status, (r.activity).severity, (r.activity).category, (r.activity).delivery_channels, (r.activity).message,
	(r.activity).request_id, (r.activity).user_agent, (r.activity).traceparent, (r.activity).ip_hash, (r.activity).warning, (r.activity).payload`

const (
	recordOne     = `SELECT ` + recordedColumns + ` FROM fanfare.record_envelope($1) AS r`
	recordOrAbort = `SELECT ` + recordedColumns + `, fanfare.refuse_envelope(r.field, r.value, r.rule, r.code)::text FROM fanfare.record_envelope($1) AS r`
)

// Record records an activity in the caller's transaction, in one round trip. An envelope that breaks a rule is refused with an
// *activity.InvalidError; then nothing is written and the transaction is as it was. Recording the same (tenant, correlation,
// action, resource) again returns the activity that stands.
func Record(ctx context.Context, tx pgx.Tx, e activity.Envelope) (Recorded, error) {
	body, err := e.Encode()
	if err != nil {
		return Recorded{}, err
	}
	rows, err := tx.Query(ctx, recordOne, string(body))
	if err != nil {
		return Recorded{}, fmt.Errorf("record activity: %w", err)
	}
	r, err := collectRecorded(rows)
	if err != nil {
		return Recorded{}, recordError(err)
	}
	return r, nil
}

// Queue puts the recording on a batch, behind the statements that make the change, so that both travel in one round trip.
// The result is at *into once the batch's results are closed without an error. A refusal by the database comes from there too;
// it aborts the transaction, since the change must not stand without the activity. If the activity stood already
// (into.Created is false), the change has been made once more: where that matters, roll back or use TxActivity.
func Queue(batch *pgx.Batch, e activity.Envelope, into *Recorded) error {
	body, err := e.Encode()
	if err != nil {
		return err
	}
	batch.Queue(recordOrAbort, string(body)).Query(func(rows pgx.Rows) error {
		r, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Recorded, error) { return scanRecorded(row, nil) })
		if err != nil {
			return recordError(err)
		}
		*into = r
		return nil
	})
	return nil
}

// RecordMany records envelopes in their order, all of them or none, in one round trip. An *activity.InvalidError names the
// fields of each one refused as "envelopes[3].action".
func RecordMany(ctx context.Context, tx pgx.Tx, envelopes []activity.Envelope) ([]Recorded, error) {
	bodies := make([]string, len(envelopes))
	var refused activity.InvalidError
	for i, e := range envelopes {
		body, err := e.Encode()
		if invalid := (*activity.InvalidError)(nil); errors.As(err, &invalid) {
			refused.Fields = append(refused.Fields, invalid.At(fmt.Sprintf("envelopes[%d].", i)).Fields...)
		} else if err != nil {
			return nil, fmt.Errorf("envelopes[%d]: %w", i, err)
		}
		bodies[i] = string(body)
	}
	if len(refused.Fields) > 0 {
		return nil, &refused
	}
	rows, err := tx.Query(ctx, `
		SELECT `+recordedColumns+`, r.ordinal
		FROM fanfare.record_envelopes($1::text[]::jsonb[]) AS r
		ORDER BY r.ordinal`, bodies)
	if err != nil {
		return nil, fmt.Errorf("record activities: %w", err)
	}
	recorded, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Recorded, error) {
		var ordinal int
		r, err := scanRecorded(row, &ordinal)
		if invalid := (*activity.InvalidError)(nil); errors.As(err, &invalid) {
			return r, invalid.At(fmt.Sprintf("envelopes[%d].", ordinal-1))
		}
		return r, err
	})
	if err != nil {
		return nil, recordError(err)
	}
	return recorded, nil
}

// scanRecorded reads recordedColumns, and what the caller selects behind them into more.
func scanRecorded(row pgx.CollectableRow, more ...any) (Recorded, error) {
	var (
		r                  Recorded
		field, value, rule zeronull.Text
	)
	columns := slices.Concat([]any{&r.Created, &field, &value, &rule}, r.Fields(), more)
	if err := row.Scan(columns...); err != nil {
		return Recorded{}, err
	}
	if field != "" {
		return Recorded{}, &activity.InvalidError{Fields: []activity.FieldError{{Field: string(field), Value: string(value), Rule: string(rule)}}}
	}
	return r, nil
}

func collectRecorded(rows pgx.Rows) (Recorded, error) {
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Recorded, error) { return scanRecorded(row) })
}

// recordError leaves a refusal as it is and says of anything else what was being done.
func recordError(err error) error {
	if invalid := (*activity.InvalidError)(nil); errors.As(err, &invalid) {
		return invalid
	}
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.SchemaName == "fanfare" && pgErr.TableName == "activities" && pgErr.ColumnName != "" {
		rule := strings.TrimPrefix(pgErr.Message, pgErr.ColumnName+" ")
		return &activity.InvalidError{Fields: []activity.FieldError{{Field: pgErr.ColumnName, Rule: rule}}}
	}
	return fmt.Errorf("record activity: %w", err)
}

// standing returns the activity that the key names, if there is one.
func standing(ctx context.Context, tx pgx.Tx, e activity.Envelope) (Recorded, bool, error) {
	if e.CorrelationID == uuid.Nil || e.TenantID == uuid.Nil || e.ResourceID == uuid.Nil {
		return Recorded{}, false, nil // a key that is not complete yet names nothing
	}
	rows, err := tx.Query(ctx, `
		SELECT `+activity.Columns+`
		FROM fanfare.standing_activity($1, $2, $3, $4) AS a
		WHERE a.id IS NOT NULL`, e.TenantID, e.CorrelationID, e.Action, e.ResourceID)
	if err != nil {
		return Recorded{}, false, fmt.Errorf("find the standing activity: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (activity.Activity, error) {
		var a activity.Activity
		return a, row.Scan(a.Fields()...)
	})
	if err != nil || len(found) == 0 {
		return Recorded{}, false, err
	}
	return Recorded{Activity: found[0]}, true, nil
}
