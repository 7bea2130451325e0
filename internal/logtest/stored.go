package logtest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// stored compares the activity of an envelope with every field, and of one with only the required
// fields.
func stored(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	before := time.Now().Add(-time.Minute) // the database's clock is another
	full := activity.Envelope{
		TenantID:           tenant,
		ActorPrincipalID:   uuid.New(),
		ResourceID:         uuid.New(),
		ResourceType:       "signal",
		Action:             "signal.created",
		Visibility:         activity.Private,
		DeliveryChannels:   []string{activity.ToUser, "chat:" + tenant.String() + ".room"},
		CorrelationID:      uuid.New(),
		TargetPrincipalID:  uuid.New(),
		TargetPrincipalIDs: []uuid.UUID{uuid.New(), uuid.New()},
		OwnerID:            uuid.New(),
		ParentID:           uuid.New(),
		ResourceName:       strings.Repeat("é", 501),
		Message:            strings.Repeat("😀", 4001),
		RequestID:          strings.Repeat("r", 201),
		UserAgent:          strings.Repeat("u", 501),
		Status:             activity.Failure,
		Severity:           activity.Critical,
		Category:           "research",
		IP:                 "::ffff:192.0.2.7",
		Traceparent:        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		OccurredAt:         time.Date(2020, 2, 3, 4, 5, 6, 789_123_999, time.UTC),
		Payload:            json.RawMessage(fullPayload),
	}
	bare := envelope(tenant)
	again := full
	again.ResourceID, again.IP = uuid.New(), "192.0.2.7"
	recorded := mustAppend(t, log, full, bare, again)
	got := recorded[0]
	want := activity.Activity{
		TenantID:           tenant,
		ActorPrincipalID:   full.ActorPrincipalID,
		ResourceID:         full.ResourceID,
		CorrelationID:      full.CorrelationID,
		TargetPrincipalIDs: append([]uuid.UUID{full.TargetPrincipalID}, full.TargetPrincipalIDs...),
		OwnerID:            full.OwnerID,
		ParentID:           full.ParentID,
		OccurredAt:         full.OccurredAt.Truncate(time.Microsecond),
		ResourceType:       "signal",
		ResourceName:       strings.Repeat("é", 500),
		Action:             "signal.created",
		Visibility:         activity.Private,
		Status:             activity.Failure,
		Severity:           activity.Critical,
		Category:           "research",
		DeliveryChannels:   full.DeliveryChannels,
		Message:            strings.Repeat("😀", 4000),
		RequestID:          strings.Repeat("r", 200),
		UserAgent:          strings.Repeat("u", 500),
		Traceparent:        full.Traceparent,
		Payload:            json.RawMessage(storedPayload),
	}
	ignored := cmpopts.IgnoreFields(activity.Activity{}, "ID", "RecordedAt", "IPKeyID", "IPHash")
	if diff := cmp.Diff(want, got.Activity, ignored); diff != "" || !got.Created {
		t.Errorf("created %t, activity (-want +got):\n%s", got.Created, diff)
	}
	if got.ID.Version() != 7 || got.ID.Variant() != uuid.RFC4122 || got.RecordedAt.Before(before) ||
		got.RecordedAt.After(time.Now().Add(time.Minute)) {
		t.Errorf("got id %s, recorded at %s", got.ID, got.RecordedAt)
	}
	hashed, err := log.Get(t.Context(), tenant, recorded[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	same, err := log.Get(t.Context(), tenant, recorded[2].ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(hashed.IPHash) != 32 || hashed.IPKeyID == 0 || !slices.Equal(hashed.IPHash, same.IPHash) {
		t.Errorf("hashes of one address: got %x of key %d and %x, want the same 32 bytes",
			hashed.IPHash, hashed.IPKeyID, same.IPHash)
	}
	got = recorded[1]
	want = activity.Activity{
		TenantID:         tenant,
		ActorPrincipalID: bare.ActorPrincipalID,
		ResourceID:       bare.ResourceID,
		ResourceType:     "signal",
		Action:           "signal.created",
		Visibility:       activity.ResourceWide,
		Status:           activity.Success,
		Severity:         activity.Info,
		Category:         "signal",
		DeliveryChannels: []string{},
		Payload:          json.RawMessage(`{}`),
		CorrelationID:    got.CorrelationID,
		OccurredAt:       got.RecordedAt,
	}
	if diff := cmp.Diff(want, got.Activity, ignored); diff != "" || got.CorrelationID == uuid.Nil || got.IPHash != nil {
		t.Errorf("correlation %s, hash %x, activity (-want +got):\n%s", got.CorrelationID, got.IPHash, diff)
	}
	// A recording does not return the hash of an address, since a writer may not read the log.
	hidden := cmpopts.IgnoreFields(activity.Activity{}, "IPKeyID", "IPHash")
	for _, r := range recorded {
		read, err := log.Get(t.Context(), tenant, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Activity, read, hidden); diff != "" {
			t.Errorf("Get (-recorded +read):\n%s", diff)
		}
		read.DeliveryChannels = append(read.DeliveryChannels[:0], "spoilt")
		read.Payload[0] = '?'
	}
	var want2 []activity.Activity
	for _, r := range slices.Backward(recorded) {
		want2 = append(want2, r.Activity)
	}
	if diff := cmp.Diff(want2, all(t, log, tenant, activity.Filter{}, 2), hidden); diff != "" {
		t.Errorf("List (-recorded +listed):\n%s", diff)
	}
}
