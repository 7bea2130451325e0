package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// Recorded is the result of recording an envelope.
type Recorded = activity.Recorded

// The last argument of record_fields selects the results that it raises as errors, which abort the
// transaction: none, violations, or violations and duplicates. The result is one value, because the
// server spends more on a row with a column for each of its fields.
const (
	recordFields  = `SELECT fanfare.record_fields($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, `
	recordOne     = recordFields + `'nothing')`
	recordOrAbort = recordFields + `'refusals')`
	recordNew     = recordFields + `'everything')`
	recordMany    = `SELECT many.recording, many.n
		FROM fanfare.record_envelopes($1::text[]::jsonb[]) AS many
		ORDER BY many.n`
)

// duplicateState is the SQLSTATE of the error for an activity that exists already.
const duplicateState = "FF003"

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

// recording is an envelope that is prepared and encoded for the log.
type recording struct {
	envelope activity.Envelope
	args     []any // of record_fields
}

// newRecording encodes a prepared envelope.
func newRecording(e activity.Envelope) (recording, error) {
	payload, options, err := e.EncodeFields()
	// pgtype.UUID has an OID also on a connection that does not describe statements.
	id := func(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }
	return recording{envelope: e, args: []any{
		id(e.TenantID), id(e.ActorPrincipalID), id(e.ResourceID), e.ResourceType, e.Action,
		unlessEmpty(string(e.Visibility)), unlessEmpty(string(e.Severity)), unlessEmpty(e.Category),
		unlessEmpty(string(payload)), unlessEmpty(string(options)),
	}}, err
}

// unlessEmpty returns a text, or nil if it is empty.
func unlessEmpty(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// readRecording scans the fanfare.recording that the first column contains, which is the outcome
// for the envelope. more are the targets of the other columns.
func readRecording(e *activity.Envelope, row pgx.CollectableRow, more ...any) (Recorded, error) {
	var text string
	if err := row.Scan(append([]any{&text}, more...)...); err != nil {
		return Recorded{}, err
	}
	r := Recorded{Activity: activity.Activity{
		TenantID: e.TenantID, ActorPrincipalID: e.ActorPrincipalID, TargetPrincipalIDs: e.Targets(),
		ResourceID: e.ResourceID, ResourceType: e.ResourceType, Action: e.Action, CorrelationID: e.CorrelationID,
		Status: cmp.Or(e.Status, activity.Success), DeliveryChannels: e.DeliveryChannels, Traceparent: e.Traceparent,
	}}
	var created, field, value, rule, code, id, payload string
	fields := pgtype.NewCompositeTextScanner(nil, []byte(text))
	for _, target := range []*string{
		&created, &field, &value, &rule, &code, &id, (*string)(&r.Visibility), (*string)(&r.Severity), &r.Category,
		&r.ResourceName, &r.Message, &r.RequestID, &r.UserAgent, &r.Warning, &payload,
	} {
		if !fields.Next() {
			return Recorded{}, fmt.Errorf("%q is not a fanfare.recording: %w", text, fields.Err())
		}
		*target = string(fields.Bytes())
	}
	if rule != "" { // the name of a field may be empty
		return Recorded{}, &invalid.Error{
			Fields: []invalid.Field{{Name: field, Value: value, Rule: rule}},
		}
	}
	var err error
	if r.ID, err = uuid.Parse(id); err != nil {
		return Recorded{}, fmt.Errorf("id of the activity: %w", err)
	}
	if r.DeliveryChannels == nil {
		r.DeliveryChannels = []string{}
	}
	if r.Created = created == "t"; r.Created {
		r.RecordedAt = uuidv7.Micros(r.ID)
		r.OccurredAt = r.RecordedAt
		if !e.OccurredAt.IsZero() {
			r.OccurredAt = e.OccurredAt.UTC().Truncate(time.Microsecond)
		}
		if r.CorrelationID == uuid.Nil {
			r.CorrelationID = r.ID
		}
		r.OwnerID, r.ParentID, r.Payload = e.OwnerID, e.ParentID, []byte(payload)
	}
	return r, nil
}

// readOne reads the row of a single envelope.
func (g recording) readOne(rows pgx.Rows) (Recorded, error) {
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Recorded, error) {
		return readRecording(&g.envelope, row)
	})
}

// readMany reads the rows of recordMany.
func readMany(rows pgx.Rows, envelopes []activity.Envelope) ([]Recorded, error) {
	recorded := make([]Recorded, 0, len(envelopes))
	var rejected invalid.Error
	defer rows.Close()
	for rows.Next() {
		var n int
		i := min(len(recorded), len(envelopes)-1) // of violations, the envelope does not matter
		r, err := readRecording(&envelopes[i], rows, &n)
		if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
			rejected.Fields = append(rejected.Fields, invalidErr.At(fmt.Sprintf("envelopes[%d].", n-1)).Fields...)
			continue
		}
		if err != nil {
			return nil, err
		}
		recorded = append(recorded, r)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(rejected.Fields) > 0 {
		return nil, &rejected
	}
	return recorded, nil
}

// recordError returns an *invalid.Error as it is, makes one of a violation that the database
// raised, or a *TenantMovingError, and wraps any other error.
func recordError(err error) error {
	if moving := tenantMoving(err); moving != nil {
		return moving
	}
	if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
		return invalidErr
	}
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	if ok && pgErr.SchemaName == "fanfare" && pgErr.TableName == "activities" && pgErr.ColumnName != "" {
		rule := strings.TrimPrefix(pgErr.Message, pgErr.ColumnName+" ")
		return &invalid.Error{Fields: []invalid.Field{{Name: pgErr.ColumnName, Rule: rule}}}
	}
	return fmt.Errorf("record activity: %w", err)
}

// existing returns the activity that has the envelope's idempotency key, and whether one does.
func existing(ctx context.Context, tx pgx.Tx, e activity.Envelope) (Recorded, bool, error) {
	if e.CorrelationID == uuid.Nil || e.TenantID == uuid.Nil || e.ResourceID == uuid.Nil {
		return Recorded{}, false, nil // the key is not complete yet
	}
	rows, err := tx.Query(ctx, `
		SELECT `+pglog.Columns+`
		FROM fanfare.existing_activity($1, $2, $3, $4) AS a
		WHERE a.id IS NOT NULL`, e.TenantID, e.CorrelationID, e.Action, e.ResourceID)
	if err != nil {
		return Recorded{}, false, fmt.Errorf("find the existing activity: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanActivity)
	if err != nil || len(found) == 0 {
		return Recorded{}, false, err
	}
	return Recorded{Activity: knownTo(&e, found[0])}, true, nil
}

// readDuplicates replaces the duplicates among the recorded, which hold only an id, by the existing
// activities.
func readDuplicates(ctx context.Context, tx pgx.Tx, recorded []Recorded) error {
	// pgtype.UUID has an OID also on a connection that does not describe statements.
	var tenants, correlations, resources []pgtype.UUID
	var actions []string
	var duplicates []int // indexes
	for i := range recorded {
		if r := &recorded[i]; !r.Created {
			duplicates = append(duplicates, i)
			tenants = append(tenants, pgtype.UUID{Bytes: r.TenantID, Valid: true})
			correlations = append(correlations, pgtype.UUID{Bytes: r.CorrelationID, Valid: true})
			resources = append(resources, pgtype.UUID{Bytes: r.ResourceID, Valid: true})
			actions = append(actions, r.Action)
		}
	}
	if len(duplicates) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT `+pglog.Columns+`
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) WITH ORDINALITY
		     AS k(tenant, correlation, action, resource, n)
		CROSS JOIN LATERAL fanfare.existing_activity(k.tenant, k.correlation, k.action, k.resource) AS a
		ORDER BY k.n`, tenants, correlations, actions, resources)
	if err != nil {
		return fmt.Errorf("read the existing activities: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanActivity)
	if err != nil {
		return fmt.Errorf("read the existing activities: %w", err)
	}
	for i, a := range found {
		if a.ID == uuid.Nil {
			return fmt.Errorf("read the existing activities: %w", errRemoved)
		}
		if a.TenantID != uuid.Nil { // otherwise the caller may not read the log
			recorded[duplicates[i]].Activity = a
		}
	}
	return nil
}

// knownTo returns an existing activity, or the values of the envelope if the caller may not read
// the log.
func knownTo(e *activity.Envelope, existing activity.Activity) activity.Activity {
	if existing.TenantID != uuid.Nil {
		return existing
	}
	return activity.Activity{
		ID: existing.ID, TenantID: e.TenantID, ActorPrincipalID: e.ActorPrincipalID,
		TargetPrincipalIDs: e.Targets(), ResourceID: e.ResourceID, ResourceType: e.ResourceType,
		Action: e.Action, CorrelationID: e.CorrelationID, DeliveryChannels: append([]string{}, e.DeliveryChannels...),
	}
}

func scanActivity(row pgx.CollectableRow) (activity.Activity, error) {
	var a activity.Activity
	return a, row.Scan(pglog.ScanTargets(&a)...)
}
