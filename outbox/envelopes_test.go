package outbox_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/envelopetest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// envelopeCase is a case with its checks.
type envelopeCase struct{ envelopetest.Case }

// decode reads an envelope's JSON as a service does that receives it from its own clients.
func decode(text string) (activity.Envelope, error) {
	var fields struct {
		TenantID           uuid.UUID           `json:"tenant_id"`
		ActorPrincipalID   uuid.UUID           `json:"actor_principal_id"`
		ResourceID         uuid.UUID           `json:"resource_id"`
		ResourceType       string              `json:"resource_type"`
		Action             string              `json:"action"`
		Visibility         activity.Visibility `json:"visibility"`
		Payload            json.RawMessage     `json:"payload"`
		DeliveryChannels   []string            `json:"delivery_channels"`
		CorrelationID      uuid.UUID           `json:"correlation_id"`
		TargetPrincipalID  uuid.UUID           `json:"target_principal_id"`
		TargetPrincipalIDs []uuid.UUID         `json:"target_principal_ids"`
		OwnerID            uuid.UUID           `json:"owner_id"`
		ParentID           uuid.UUID           `json:"parent_id"`
		ResourceName       string              `json:"resource_name"`
		Message            string              `json:"message"`
		RequestID          string              `json:"request_id"`
		UserAgent          string              `json:"user_agent"`
		Status             activity.Status     `json:"status"`
		Severity           activity.Severity   `json:"severity"`
		Category           string              `json:"category"`
		IP                 string              `json:"ip"`
		Traceparent        string              `json:"traceparent"`
		OccurredAt         time.Time           `json:"occurred_at"`
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&fields); err != nil {
		return activity.Envelope{}, err
	}
	e := activity.Envelope{
		TenantID: fields.TenantID, ActorPrincipalID: fields.ActorPrincipalID, ResourceID: fields.ResourceID,
		ResourceType: fields.ResourceType, Action: fields.Action, Visibility: fields.Visibility,
		DeliveryChannels: fields.DeliveryChannels,
		CorrelationID:    fields.CorrelationID, TargetPrincipalID: fields.TargetPrincipalID,
		TargetPrincipalIDs: fields.TargetPrincipalIDs, OwnerID: fields.OwnerID,
		ParentID:     fields.ParentID,
		ResourceName: fields.ResourceName, Message: fields.Message, RequestID: fields.RequestID,
		UserAgent: fields.UserAgent,
		Status:    fields.Status, Severity: fields.Severity, Category: fields.Category, IP: fields.IP,
		Traceparent: fields.Traceparent,
		OccurredAt:  fields.OccurredAt,
	}
	if fields.Payload != nil {
		e.Payload = fields.Payload
	}
	return e, nil
}

// TestEnvelopes records every case with fanfare.record_activity, which every language uses, and
// with Record.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, c := range envelopetest.Cases(t) {
		c := envelopeCase{c}
		t.Run(c.Name, func(t *testing.T) {
			bySQL := recordBySQL(t, db, c)
			byGo, said := recordByGo(t, db, c)
			if said && !c.Rejected() {
				if diff := cmp.Diff(bySQL, byGo); diff != "" {
					t.Errorf("what SQL stores and what Go stores (-SQL +Go):\n%s", diff)
				}
			}
		})
	}
}

// recordBySQL returns the stored columns.
func recordBySQL(t *testing.T, db *pgtest.DB, c envelopeCase) map[string]*string {
	t.Helper()
	tx := begin(t, db)
	defer func() { _ = tx.Rollback(context.Background()) }() // Record uses the same key
	var id uuid.UUID
	err := tx.QueryRow(t.Context(), `SELECT fanfare.record_activity($1::text::jsonb)`, c.JSON(t)).Scan(&id)
	if !c.Rejected() {
		if err != nil {
			t.Fatalf("record_activity: got %v, want it recorded", err)
		}
		return c.checkStored(t, tx, id)
	}
	state := c.State
	if state == "" {
		state = "22023"
	}
	pgErr := (*pgconn.PgError)(nil)
	if !errors.As(err, &pgErr) {
		t.Fatalf("record_activity: got %v, want field %q refused", err, c.Field)
	}
	if pgErr.ColumnName != c.Field || pgErr.Code != state {
		t.Errorf(
			"record_activity: got field %q refused with %s (%s), want %q with %s",
			pgErr.ColumnName,
			pgErr.Code,
			pgErr.Message,
			c.Field,
			state,
		)
	}
	if len(pgErr.Message) > 1000 {
		t.Errorf("record_activity: got a message of %d bytes, want a short one", len(pgErr.Message))
	}
	return nil
}

// recordByGo returns the stored columns, and whether Go can represent the case.
func recordByGo(t *testing.T, db *pgtest.DB, c envelopeCase) (map[string]*string, bool) {
	t.Helper()
	e, err := decode(c.JSON(t))
	if c.Go != nil && !*c.Go {
		return nil, false
	}
	if err != nil {
		t.Fatalf("decode: got %v, want an envelope", err)
	}
	tx := begin(t, db)
	r, err := outbox.Record(t.Context(), tx, e)
	if !c.Rejected() {
		if err != nil {
			t.Fatalf("Record: got %v, want it recorded", err)
		}
		return c.checkStored(t, tx, r.ID), true
	}
	invalidErr := (*invalid.Error)(nil)
	if !errors.As(err, &invalidErr) {
		t.Fatalf("Record: got %v, want field %q refused", err, c.Field)
	}
	var got []string
	for _, f := range invalidErr.Fields {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff(append([]string{c.Field}, c.Others...), got); diff != "" {
		t.Errorf("fields that Record refuses (-want +got):\n%s", diff)
	}
	return nil, true
}

// begin begins a transaction that the end of the test rolls back.
func begin(t testing.TB, db *pgtest.DB) pgx.Tx {
	t.Helper()
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// checkStored returns the columns of the activity that do not differ with each recording.
func (c envelopeCase) checkStored(t *testing.T, tx pgx.Tx, id uuid.UUID) map[string]*string {
	t.Helper()
	rows, err := tx.Query(t.Context(), `
		SELECT e.key, CASE e.key WHEN 'delivery_channels' THEN a.delivery_channels::text
		WHEN 'target_principal_ids' THEN a.target_principal_ids::text
		WHEN 'payload' THEN a.payload::text
		WHEN 'occurred_at' THEN (a.occurred_at AT TIME ZONE 'UTC')::text || '+00' ELSE e.value END
		FROM fanfare.activities AS a, jsonb_each_text(to_jsonb(a)) AS e
		WHERE a.id = $1`, id)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*string{}
	var name string
	var value *string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error { got[name] = value; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range c.Stored {
		if diff := cmp.Diff(want, got[column]); diff != "" {
			t.Errorf("column %s (-want +got):\n%s", column, diff)
		}
	}
	for column, part := range c.StoredNot {
		if value := got[column]; value == nil || strings.Contains(*value, part) {
			t.Errorf("column %s: got %v, want nothing with %q in it", column, value, part)
		}
	}
	if want := hashOfIP(t, tx, c.IP); got["ip_hash"] == nil && want != "" ||
		got["ip_hash"] != nil && *got["ip_hash"] != want {
		t.Errorf("column ip_hash: got %v, want %q, the HMAC of %s", got["ip_hash"], want, c.IP)
	}
	for _, column := range []string{"id", "recorded_at", "occurred_at", "correlation_id"} {
		if c.Stored[column] == nil {
			delete(got, column)
		}
	}
	delete(got, "id")
	return got
}

// hashOfIP returns the hash of an address under the newest key, computed with Go's HMAC, in bytea's
// text format.
func hashOfIP(t *testing.T, tx pgx.Tx, ip string) string {
	t.Helper()
	if ip == "" {
		return ""
	}
	var inner, outer []byte
	err := tx.QueryRow(t.Context(), `SELECT inner_pad, outer_pad FROM fanfare.ip_hash_keys
		ORDER BY key_id DESC LIMIT 1`).
		Scan(&inner, &outer)
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, len(inner))
	for i := range inner {
		key[i] = inner[i] ^ 0x36
		if key[i]^0x5c != outer[i] {
			t.Fatalf("byte %d of the pads: got two keys, want one", i)
		}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(ip))
	return `\x` + hex.EncodeToString(mac.Sum(nil))
}
