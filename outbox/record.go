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
	recordMany    = `SELECT ` + recordedColumns + `, r.ordinal FROM fanfare.record_envelopes($1::text[]::jsonb[]) AS r ORDER BY r.ordinal`
)

// Record is Recorder.Record without hooks.
func Record(ctx context.Context, tx pgx.Tx, e activity.Envelope) (Recorded, error) {
	return Recorder{}.Record(ctx, tx, e)
}

// Queue is Recorder.Queue without hooks and without a context.
func Queue(batch *pgx.Batch, e activity.Envelope, into *Recorded) error {
	return Recorder{}.Queue(context.Background(), batch, e, into)
}

// RecordMany is Recorder.RecordMany without hooks.
func RecordMany(ctx context.Context, tx pgx.Tx, envelopes []activity.Envelope) ([]Recorded, error) {
	return Recorder{}.RecordMany(ctx, tx, envelopes)
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

// collectMany reads what recordMany returns.
func collectMany(rows pgx.Rows) ([]Recorded, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Recorded, error) {
		var ordinal int
		r, err := scanRecorded(row, &ordinal)
		if invalid := (*activity.InvalidError)(nil); errors.As(err, &invalid) {
			return r, invalid.At(fmt.Sprintf("envelopes[%d].", ordinal-1))
		}
		return r, err
	})
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
