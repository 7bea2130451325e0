package api

import (
	"encoding/hex"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// Event is an activity in the form in which clients receive it: in publications, notifications and
// lists.
type Event struct {
	activity.Event
}

// MarshalJSON returns the bytes that are published.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// Activity is an event with the further fields of the activity log.
type Activity struct {
	Event
	Stored
}

// Stored has the fields of the activity log that an event does not have. It omits the recipients.
type Stored struct {
	RecordedAt       time.Time  `json:"recorded_at" doc:"When it was recorded."`
	OwnerID          *uuid.UUID `json:"owner_id" format:"uuid" nullable:"true"`
	Status           string     `json:"status" enum:"success,failure"`
	Severity         string     `json:"severity" enum:"info,warning,error,critical"`
	Category         string     `json:"category"`
	Message          string     `json:"message"`
	RequestID        string     `json:"request_id" doc:"The id of the request in which the service recorded it."`
	DeliveryChannels []string   `json:"delivery_channels" nullable:"false"`
	Traceparent      *string    `json:"traceparent,omitempty" doc:"The trace of the service; on audit routes only."`
	UserAgent        *string    `json:"user_agent,omitempty" doc:"On audit routes only."`
	IPHash           *string    `json:"ip_hash,omitempty"`
}

// MarshalJSON returns what AppendJSON appends.
func (a Activity) MarshalJSON() ([]byte, error) { return a.appendJSON(nil), nil }

// storedOf returns the stored fields. Those that could locate the actor are set only for audits.
func storedOf(a *activity.Activity, audit bool) Stored {
	s := Stored{
		RecordedAt:       a.RecordedAt.UTC(),
		Status:           string(a.Status),
		Severity:         string(a.Severity),
		Category:         a.Category,
		Message:          a.Message,
		RequestID:        a.RequestID,
		DeliveryChannels: a.DeliveryChannels,
	}
	if s.DeliveryChannels == nil {
		s.DeliveryChannels = []string{}
	}
	if a.OwnerID != uuid.Nil {
		s.OwnerID = &a.OwnerID
	}
	if audit {
		hash := hex.EncodeToString(a.IPHash)
		s.Traceparent, s.UserAgent, s.IPHash = &a.Traceparent, &a.UserAgent, &hash
	}
	return s
}

// TransformSchema adds formats, descriptions and enums to the schema.
func (Event) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	completeEvent(r, s)
	return s
}

// TransformSchema adds formats, descriptions and enums to the schema.
func (Activity) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	completeEvent(r, s)
	return describe(s, map[string]string{
		"owner_id":          "The owner of the resource when the activity was recorded.",
		"delivery_channels": "The channels that the service chose; empty selects user and resource.",
		"ip_hash":           "A keyed hash of the client's IP address, in hexadecimal; on audit routes only.",
	})
}

func completeEvent(r huma.Registry, s *huma.Schema) {
	property := func(s *huma.Schema, name, format, text string) *huma.Schema {
		p := s.Properties[name]
		p.Format, p.Description = format, text
		return p
	}
	property(s, "version", "", "The version of the event's form.").Enum = []any{activity.EventVersion}
	property(s, "event_id", "uuid", "The activity's id, a UUIDv7.")
	property(s, "tenant_id", "uuid", "")
	property(s, "created_at", "date-time", "When the action happened.")
	property(s, "correlation_id", "uuid", "Links the activities of one workflow.")
	target := property(s, "target_principal_id", "uuid", "The principal that the activity addresses, if exactly one.")
	target.Nullable = true
	property(s, "action", "", "<resource>.<verb>").Examples = []any{"signal.created"}
	visibility := property(s, "visibility", "", "Who may see it besides the resource's owner and delegators.")
	visibility.Enum = enumOf(activity.Visibilities())
	payload := property(s, "payload", "", "The payload that the service recorded.")
	payload.Type, payload.AdditionalProperties = huma.TypeObject, true

	actor := r.SchemaFromRef(s.Properties["actor"].Ref)
	property(actor, "principal_id", "uuid", "")
	property(actor, "kind", "", "user, agent, service, …; unknown if the directory does not have the principal")
	property(actor, "display_name", "", "Empty if the directory does not have the principal.")
	resource := r.SchemaFromRef(s.Properties["resource"].Ref)
	property(resource, "resource_id", "uuid", "")
	property(resource, "parent_id", "uuid", "").Nullable = true
	hints := r.SchemaFromRef(s.Properties["ui_hints"].Ref)
	property(hints, "severity", "", "").Enum = []any{"info", "warning", "error", "critical"}
}
