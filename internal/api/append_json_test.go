package api

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// TestAppendedJSON compares what responses append with what encoding/json writes of the same
// fields.
func TestAppendedJSON(t *testing.T) {
	t.Parallel()
	id, at, text := uuid.New(), time.Date(2026, 2, 3, 4, 5, 6, 123456000, time.UTC), "a \"b\" \u2028 <é> \n"
	event := Event{activity.Event{
		Version: "1", EventID: uuid.New(), TenantID: uuid.New(), CreatedAt: at, CorrelationID: uuid.New(),
		Action: "signal.created", Visibility: activity.TenantVisible, Payload: json.RawMessage(`{"a": [1, "<"]}`),
	}}
	full := Activity{event, Stored{
		RecordedAt: at, OwnerID: &id, Status: "success", Severity: "info", Category: text, Message: text,
		RequestID: text, DeliveryChannels: []string{"user", "resource"}, Traceparent: &text, UserAgent: &text,
		IPHash: &text,
	}}
	bare := Activity{event, Stored{RecordedAt: at, DeliveryChannels: []string{}}}
	read := Notification{
		ID: id, Reasons: []string{"owner", "target"}, GroupID: &id, CreatedAt: at, SeenAt: &at, ReadAt: &at,
		ArchivedAt: &at, SnoozedUntil: &at, Event: event,
	}
	unread := Notification{ID: id, Reasons: []string{}, CreatedAt: at, Event: event}
	actor := GroupActor{uuid.New(), text, text}
	groups := []NotificationGroup{
		{
			Filter: GroupFilter{Resource: &id, Actor: &id, Since: &at, Until: &at}, Total: 3, Unread: 2,
			OldestAt: at, NewestAt: at.Add(time.Hour), Actors: []GroupActor{actor, {}}, ActorCount: 2,
			Items: []Notification{read, unread},
		},
		{Filter: GroupFilter{CorrelationID: &id}, Actors: []GroupActor{actor}, Items: []Notification{}},
		{Actors: []GroupActor{}, Items: []Notification{unread}},
	}
	// Without the methods of the types, encoding/json reads the fields.
	type plainActivity struct {
		activity.Event
		Stored
	}
	type plainActivities struct {
		Items      []plainActivity `json:"items"`
		NextCursor *string         `json:"next_cursor"`
	}
	plainFull, plainBare := plainActivity{event.Event, full.Stored}, plainActivity{event.Event, bare.Stored}
	type plainNotification Notification
	type plainInbox Inbox
	for name, tt := range map[string]struct{ response, plain any }{
		"no activities": {ActivityPage{Items: []Activity{}}, plainActivities{Items: []plainActivity{}}},
		"activities": {
			ActivityPage{[]Activity{full, bare}, &text}, plainActivities{[]plainActivity{plainFull, plainBare}, &text},
		},
		"activity":     {full, plainFull},
		"notification": {read, plainNotification(read)},
		"empty inbox":  {Inbox{Items: []Notification{}}, plainInbox{Items: []Notification{}}},
		"inbox": {
			Inbox{Items: []Notification{read, unread}, NextCursor: &text, UnreadCount: 7},
			plainInbox{Items: []Notification{read, unread}, NextCursor: &text, UnreadCount: 7},
		},
		"groups": {
			Inbox{Items: []Notification{}, Groups: groups}, plainInbox{Items: []Notification{}, Groups: groups},
		},
	} {
		var got, want bytes.Buffer
		if err := jsonFormat().Marshal(&got, tt.response); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := huma.DefaultJSONFormat.Marshal(&want, tt.plain); err != nil {
			t.Fatal(err)
		}
		var decodedGot, decodedWant any
		if err := json.Unmarshal(got.Bytes(), &decodedGot); err != nil {
			t.Fatalf("%s: %v: %s", name, err, got.Bytes())
		}
		if err := json.Unmarshal(want.Bytes(), &decodedWant); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decodedWant, decodedGot); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}
