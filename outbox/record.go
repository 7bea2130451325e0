package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
)

// Recorded is what became of an envelope.
type Recorded = activity.Recorded

// recordingColumns are what fanfare.record_envelope tells; recording reads them.
const recordingColumns = `r.created, r.field, r.value, r.rule, r.id, r.correlation_id, r.owner_id, r.parent_id, r.occurred_at, r.recorded_at, r.ip_key_id, r.ip_hash,
	r.resource_name, r.visibility, r.severity, r.category, r.message, r.request_id, r.user_agent, r.warning, r.payload`

// What record_envelope raises as an error, and so undoes the transaction by, is told by its second
// argument.
const (
	recordOne     = `SELECT ` + recordingColumns + ` FROM fanfare.record_envelope($1) AS r`
	recordOrAbort = `SELECT ` + recordingColumns + ` FROM fanfare.record_envelope($1, 'refusals') AS r`
	recordNew     = `SELECT ` + recordingColumns + ` FROM fanfare.record_envelope($1, 'everything') AS r`
	recordMany    = `SELECT ` + recordingColumns + `, many.n FROM fanfare.record_envelopes($1::text[]::jsonb[]) AS many, LATERAL (SELECT (many.recording).*) AS r ORDER BY many.n`
)

// standsState is the SQLSTATE of the error that says that an activity stands already.
const standsState = "FF003"

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

// recording is an envelope on its way to the log, as it was prepared and encoded.
type recording struct {
	envelope activity.Envelope
	body     string
}

// read reads the row that record_envelope returned for it, and what the caller selects behind that
// into more.
func (g recording) read(row pgx.CollectableRow, more ...any) (Recorded, error) {
	e := &g.envelope
	r := Recorded{Activity: activity.Activity{
		TenantID: e.TenantID, ActorPrincipalID: e.ActorPrincipalID, ResourceID: e.ResourceID, TargetPrincipalID: e.TargetPrincipalID,
		ResourceType: e.ResourceType, Action: e.Action, Status: cmp.Or(e.Status, activity.Success), DeliveryChannels: e.DeliveryChannels, Traceparent: e.Traceparent,
	}}
	var field, value, rule zeronull.Text
	columns := []any{
		&r.Created, &field, &value, &rule, (*zeronull.UUID)(&r.ID), (*zeronull.UUID)(&r.CorrelationID), (*zeronull.UUID)(&r.OwnerID), (*zeronull.UUID)(&r.ParentID),
		(*zeronull.Timestamptz)(
			&r.OccurredAt,
		), (*zeronull.Timestamptz)(&r.RecordedAt), (*zeronull.Int2)(&r.IPKeyID), &r.IPHash,
		(*zeronull.Text)(
			&r.ResourceName,
		), (*zeronull.Text)(&r.Visibility), (*zeronull.Text)(&r.Severity), (*zeronull.Text)(&r.Category),
		(*zeronull.Text)(
			&r.Message,
		), (*zeronull.Text)(&r.RequestID), (*zeronull.Text)(&r.UserAgent), (*zeronull.Text)(&r.Warning), (*[]byte)(&r.Payload),
	}
	if err := row.Scan(append(columns, more...)...); err != nil {
		return Recorded{}, err
	}
	if field != "" {
		return Recorded{}, &invalid.Error{
			Fields: []invalid.Field{{Name: string(field), Value: string(value), Rule: string(rule)}},
		}
	}
	if r.DeliveryChannels == nil {
		r.DeliveryChannels = []string{}
	}
	if !r.Created {
		r.CorrelationID = e.CorrelationID
	}
	return r, nil
}

// readOne reads the only row.
func (g recording) readOne(rows pgx.Rows) (Recorded, error) {
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Recorded, error) { return g.read(row) })
}

// readMany reads what recordMany returns.
func readMany(rows pgx.Rows, all []recording) ([]Recorded, error) {
	recorded := make([]Recorded, 0, len(all))
	defer rows.Close()
	for rows.Next() {
		var n int
		at := min(len(recorded), len(all)-1)
		r, err := all[at].read(rows, &n)
		if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
			return nil, invalidErr.At(fmt.Sprintf("envelopes[%d].", n-1))
		}
		if err != nil {
			return nil, err
		}
		recorded = append(recorded, r)
	}
	return recorded, rows.Err()
}

// recordError leaves a refusal as it is and says of anything else what was being done.
func recordError(err error) error {
	if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
		return invalidErr
	}
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.SchemaName == "fanfare" &&
		pgErr.TableName == "activities" &&
		pgErr.ColumnName != "" {
		rule := strings.TrimPrefix(pgErr.Message, pgErr.ColumnName+" ")
		return &invalid.Error{Fields: []invalid.Field{{Name: pgErr.ColumnName, Rule: rule}}}
	}
	return fmt.Errorf("record activity: %w", err)
}

// standing returns the activity that the key names, if there is one.
func standing(ctx context.Context, tx pgx.Tx, e activity.Envelope) (Recorded, bool, error) {
	if e.CorrelationID == uuid.Nil || e.TenantID == uuid.Nil || e.ResourceID == uuid.Nil {
		return Recorded{}, false, nil // a key that is not complete yet names nothing
	}
	rows, err := tx.Query(ctx, `
		SELECT `+pglog.Columns+`
		FROM fanfare.existing_activity($1, $2, $3, $4) AS a
		WHERE a.id IS NOT NULL`, e.TenantID, e.CorrelationID, e.Action, e.ResourceID)
	if err != nil {
		return Recorded{}, false, fmt.Errorf("find the standing activity: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanActivity)
	if err != nil || len(found) == 0 {
		return Recorded{}, false, err
	}
	return Recorded{Activity: found[0]}, true, nil
}

// complete reads in full those that stood already, of which recording tells only the id.
func complete(ctx context.Context, tx pgx.Tx, recorded []Recorded) error {
	var tenants, correlations, resources []pgtype.UUID // which has a type of the database's even for a connection that does not ask for types
	var actions []string
	var at []int
	for i := range recorded {
		if r := &recorded[i]; !r.Created {
			at = append(at, i)
			tenants = append(tenants, pgtype.UUID{Bytes: r.TenantID, Valid: true})
			correlations = append(correlations, pgtype.UUID{Bytes: r.CorrelationID, Valid: true})
			resources = append(resources, pgtype.UUID{Bytes: r.ResourceID, Valid: true})
			actions = append(actions, r.Action)
		}
	}
	if len(at) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT `+pglog.Columns+`
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) WITH ORDINALITY AS k(tenant, correlation, action, resource, n)
		CROSS JOIN LATERAL fanfare.existing_activity(k.tenant, k.correlation, k.action, k.resource) AS a
		ORDER BY k.n`, tenants, correlations, actions, resources)
	if err != nil {
		return fmt.Errorf("read the standing activities: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanActivity)
	if err != nil {
		return fmt.Errorf("read the standing activities: %w", err)
	}
	for i, a := range found {
		if a.ID == uuid.Nil {
			return fmt.Errorf("read the standing activities: %w", errGone)
		}
		recorded[at[i]].Activity = a
	}
	return nil
}

func scanActivity(row pgx.CollectableRow) (activity.Activity, error) {
	var a activity.Activity
	return a, row.Scan(pglog.ScanTargets(&a)...)
}
