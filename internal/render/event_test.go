package render_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

var (
	tenant   = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	actor    = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	resource = uuid.MustParse("33333333-3333-4333-8333-333333333333")
	target   = uuid.MustParse("77777777-7777-4777-8777-777777777777")
	parent   = uuid.MustParse("99999999-9999-4999-8999-999999999999")
)

// TestEventJSON compares the JSON of events with the default texts byte for byte.
func TestEventJSON(t *testing.T) {
	t.Parallel()
	a := activity.Activity{
		ID:               uuid.MustParse("0198c6f0-7c00-7abc-8def-0123456789ab"),
		TenantID:         tenant,
		ActorPrincipalID: actor,
		ResourceID:       resource,
		CorrelationID:    uuid.MustParse("66666666-6666-4666-8666-666666666666"),
		OwnerID:          uuid.MustParse("88888888-8888-4888-8888-888888888888"),
		OccurredAt:       time.Date(2026, 2, 3, 4, 5, 6, 123456000, time.FixedZone("", 2*3600)),
		RecordedAt:       time.Date(2026, 2, 3, 4, 5, 7, 0, time.UTC),
		ResourceType:     "signal",
		ResourceName:     "Momentum 12",
		Action:           "signal.created",
		Visibility:       activity.ResourceWide,
		Status:           activity.Success,
		Severity:         activity.Info,
		Category:         "signal",
		DeliveryChannels: []string{"user"},
		RequestID:        "req-1",
		UserAgent:        "curl",
		IPHash:           []byte("hash"),
		Payload:          json.RawMessage(`{"score":0.7}`),
	}
	addressed := a
	addressed.TargetPrincipalIDs, addressed.ParentID = []uuid.UUID{target}, parent
	addressed.Action, addressed.Message = "member.role_changed", "Ada made you an editor"
	addressed.Severity, addressed.Visibility = activity.Warning, activity.Private
	const start = `{"version":"1","event_id":"0198c6f0-7c00-7abc-8def-0123456789ab",` +
		`"tenant_id":"11111111-1111-4111-8111-111111111111","created_at":"2026-02-03T02:05:06.123456Z",` +
		`"correlation_id":"66666666-6666-4666-8666-666666666666",`
	for name, tt := range map[string]struct {
		a     activity.Activity
		actor directory.Actor
		want  string
	}{
		"with an actor": {
			a, directory.Actor{Kind: "user", DisplayName: "Ada"}, start +
				`"actor":{"principal_id":"22222222-2222-4222-8222-222222222222","kind":"user","display_name":"Ada"},` +
				`"resource":{"resource_id":"33333333-3333-4333-8333-333333333333","resource_type":"signal",` +
				`"parent_id":null,"name":"Momentum 12"},"action":"signal.created","target_principal_id":null,` +
				`"visibility":"resource","payload":{"score":0.7},"ui_hints":{"category":"signal","severity":"info",` +
				`"title":"Signal created","summary":"Ada: signal created — Momentum 12","icon":"signal"}}`,
		},
		"with a target, a parent and a message": {
			addressed, directory.Actor{Kind: "agent", DisplayName: "Ada"}, start +
				`"actor":{"principal_id":"22222222-2222-4222-8222-222222222222","kind":"agent","display_name":"Ada"},` +
				`"resource":{"resource_id":"33333333-3333-4333-8333-333333333333","resource_type":"signal",` +
				`"parent_id":"99999999-9999-4999-8999-999999999999","name":"Momentum 12"},` +
				`"action":"member.role_changed","target_principal_id":"77777777-7777-4777-8777-777777777777",` +
				`"visibility":"private","payload":{"score":0.7},"ui_hints":{"category":"signal","severity":"warning",` +
				`"title":"Member role changed","summary":"Ada made you an editor","icon":"signal"}}`,
		},
		"with an actor that the directory does not contain": {
			a, directory.Actor{}, start +
				`"actor":{"principal_id":"22222222-2222-4222-8222-222222222222","kind":"unknown","display_name":""},` +
				`"resource":{"resource_id":"33333333-3333-4333-8333-333333333333","resource_type":"signal",` +
				`"parent_id":null,"name":"Momentum 12"},"action":"signal.created","target_principal_id":null,` +
				`"visibility":"resource","payload":{"score":0.7},"ui_hints":{"category":"signal","severity":"info",` +
				`"title":"Signal created","summary":"signal created — Momentum 12","icon":"signal"}}`,
		},
	} {
		e := (*render.Catalog)(nil).Event(&tt.a, tt.actor)
		got, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, tt.want)
		}
		if got := e.AppendJSON(nil); string(got) != tt.want {
			t.Errorf("%s, AppendJSON:\ngot  %s\nwant %s", name, got, tt.want)
		}
	}
}
