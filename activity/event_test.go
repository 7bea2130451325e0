package activity_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// TestEvent holds the form on the wire, to the letter.
func TestEvent(t *testing.T) {
	t.Parallel()
	a := activity.Activity{
		ID: uuid.MustParse(
			"0198c6f0-7c00-7abc-8def-0123456789ab",
		), TenantID: tenant, ActorPrincipalID: actor, ResourceID: resource,
		CorrelationID: uuid.MustParse("66666666-6666-4666-8666-666666666666"),
		OwnerID:       uuid.MustParse("88888888-8888-4888-8888-888888888888"),
		OccurredAt: time.Date(
			2026,
			2,
			3,
			4,
			5,
			6,
			123456000,
			time.FixedZone("", 2*3600),
		), RecordedAt: time.Date(2026, 2, 3, 4, 5, 7, 0, time.UTC),
		ResourceType: "signal", ResourceName: "Momentum 12", Action: "signal.created", Visibility: activity.ResourceWide,
		Status: activity.Success, Severity: activity.Info, Category: "signal", DeliveryChannels: []string{"user"},
		RequestID: "req-1", UserAgent: "curl", IPHash: []byte("hash"), Payload: json.RawMessage(`{"score":0.7}`),
	}
	addressed := a
	addressed.TargetPrincipalID, addressed.ParentID = uuid.MustParse(
		"77777777-7777-4777-8777-777777777777",
	), uuid.MustParse(
		"99999999-9999-4999-8999-999999999999",
	)
	addressed.Action, addressed.Message, addressed.Severity, addressed.Visibility = "member.role_changed", "Ada made you an editor", activity.Warning, activity.Private
	for name, tc := range map[string]struct {
		a           activity.Activity
		kind, actor string
		want        string
	}{
		"about a resource": {a, "user", "Ada", `{"version":"1","event_id":"0198c6f0-7c00-7abc-8def-0123456789ab","tenant_id":"11111111-1111-4111-8111-111111111111",` +
			`"created_at":"2026-02-03T02:05:06.123456Z","correlation_id":"66666666-6666-4666-8666-666666666666",` +
			`"actor":{"principal_id":"22222222-2222-4222-8222-222222222222","kind":"user","display_name":"Ada"},` +
			`"resource":{"resource_id":"33333333-3333-4333-8333-333333333333","resource_type":"signal","parent_id":null,"name":"Momentum 12"},` +
			`"action":"signal.created","target_principal_id":null,"visibility":"resource","payload":{"score":0.7},` +
			`"ui_hints":{"category":"signal","severity":"info","title":"Signal created","summary":"Ada: signal created — Momentum 12","icon":"signal"}}`},
		"addressed to someone": {addressed, "agent", "Ada", `{"version":"1","event_id":"0198c6f0-7c00-7abc-8def-0123456789ab","tenant_id":"11111111-1111-4111-8111-111111111111",` +
			`"created_at":"2026-02-03T02:05:06.123456Z","correlation_id":"66666666-6666-4666-8666-666666666666",` +
			`"actor":{"principal_id":"22222222-2222-4222-8222-222222222222","kind":"agent","display_name":"Ada"},` +
			`"resource":{"resource_id":"33333333-3333-4333-8333-333333333333","resource_type":"signal","parent_id":"99999999-9999-4999-8999-999999999999","name":"Momentum 12"},` +
			`"action":"member.role_changed","target_principal_id":"77777777-7777-4777-8777-777777777777","visibility":"private","payload":{"score":0.7},` +
			`"ui_hints":{"category":"signal","severity":"warning","title":"Member role changed","summary":"Ada made you an editor","icon":"signal"}}`},
		"by someone unknown": {a, "", "", `{"version":"1","event_id":"0198c6f0-7c00-7abc-8def-0123456789ab","tenant_id":"11111111-1111-4111-8111-111111111111",` +
			`"created_at":"2026-02-03T02:05:06.123456Z","correlation_id":"66666666-6666-4666-8666-666666666666",` +
			`"actor":{"principal_id":"22222222-2222-4222-8222-222222222222","kind":"unknown","display_name":""},` +
			`"resource":{"resource_id":"33333333-3333-4333-8333-333333333333","resource_type":"signal","parent_id":null,"name":"Momentum 12"},` +
			`"action":"signal.created","target_principal_id":null,"visibility":"resource","payload":{"score":0.7},` +
			`"ui_hints":{"category":"signal","severity":"info","title":"Signal created","summary":"signal created — Momentum 12","icon":"signal"}}`},
	} {
		e := activity.NewEvent(&tc.a, tc.kind, tc.actor)
		got, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != tc.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, tc.want)
		}
		if got := e.AppendJSON(nil); string(got) != tc.want {
			t.Errorf("%s, appended:\ngot  %s\nwant %s", name, got, tc.want)
		}
	}
}
