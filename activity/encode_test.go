package activity_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func full() activity.Envelope {
	return activity.Envelope{
		TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "project",
		Action: "project.created", Visibility: activity.TenantVisible, Payload: map[string]any{"n": 1},
		DeliveryChannels: []string{"user"}, CorrelationID: uuid.New(), TargetPrincipalID: uuid.New(),
		OwnerID: uuid.New(), ParentID: uuid.New(), ResourceName: "Apollo", Message: "m", RequestID: "r", UserAgent: "u",
		Status: activity.Failure, Severity: activity.Warning, Category: "c", IP: "192.0.2.1",
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		OccurredAt:  time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC),
	}
}

// TestEnvelopeAsJSON passes the JSON of envelopes to fanfare.record_activity, and reads it back.
func TestEnvelopeAsJSON(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	least := full()
	least = activity.Envelope{
		TenantID: least.TenantID, ActorPrincipalID: least.ActorPrincipalID, ResourceID: least.ResourceID,
		ResourceType: "project", Action: "project.created",
	}
	for name, want := range map[string]activity.Envelope{"full": full(), "least": least} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var id uuid.UUID
		if err := pool.QueryRow(t.Context(), `SELECT fanfare.record_activity($1)`, string(text)).Scan(&id); err != nil {
			t.Errorf("%s: %v: %s", name, err, text)
		}
		var got activity.Envelope
		if err := json.Unmarshal(text, &got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want.Payload != nil {
			want.Payload = json.RawMessage(`{"n":1}`)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, read back (-want +got):\n%s", name, diff)
		}
	}
	secret := full()
	secret.Message, secret.Payload = "password=hunter2", json.RawMessage(`{"password":"hunter2"}`)
	if text, err := json.Marshal(&secret); err != nil || strings.Contains(string(text), "hunter2") {
		t.Errorf("got %s, %v, want no secret", text, err)
	}
	secret.Payload = func() {}
	if text, err := json.Marshal(secret); err == nil {
		t.Errorf("a payload that is no JSON: got %s, want an error", text)
	}
}

func TestEnvelopeFromInvalidJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[]`: "envelope refused: envelope must be a JSON object",
		`{"tenant_id":"x","occurred_at":"2026-01-02 03:04:05","colour":1,"message":[],"request_id":"r"}`: "" +
			"envelope refused: colour is not a field of the envelope; " +
			"message must have the type that the field has in fanfare.record_activity; " +
			"occurred_at must be a time with a zone, such as 2026-01-02T15:04:05Z; tenant_id must be a UUID",
	} {
		var e activity.Envelope
		if err := json.Unmarshal([]byte(text), &e); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
