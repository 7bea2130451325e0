package api

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// Event is an activity as everyone gets it who may: what is published when it happens, and what a
// notification tells of.
type Event struct {
	activity.Event
}

// MarshalJSON writes what is published, to the byte.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// Activity is an event with what the log holds besides.
type Activity struct {
	Event
	Stored
}

// Stored is what the log holds of an activity and the event does not say. Whom it is told to is not
// there.
type Stored struct {
	RecordedAt       time.Time  `json:"recorded_at" doc:"When it was recorded, by the database's clock."`
	OwnerID          *uuid.UUID `json:"owner_id" format:"uuid" nullable:"true" doc:"The resource's owner, as of the recording."`
	Status           string     `json:"status" enum:"success,failure"`
	Severity         string     `json:"severity" enum:"info,warning,error,critical"`
	Category         string     `json:"category"`
	Message          string     `json:"message"`
	RequestID        string     `json:"request_id" doc:"The request of the service that recorded it."`
	DeliveryChannels []string   `json:"delivery_channels" nullable:"false" doc:"Where it was sent to, as the service asked for it; empty means user and resource."`
	Traceparent      *string    `json:"traceparent,omitempty" doc:"The writer's trace (W3C Trace Context); in the audit log only."`
	UserAgent        *string    `json:"user_agent,omitempty" doc:"In the audit log only."`
	IPHash           *string    `json:"ip_hash,omitempty" doc:"A keyed hash of the address it came from, in hexadecimal; in the audit log only."`
}

// MarshalJSON appends what is stored to the event.
func (a Activity) MarshalJSON() ([]byte, error) {
	stored, err := json.Marshal(a.Stored)
	if err != nil {
		return nil, err
	}
	whole := a.AppendJSON(nil)
	whole[len(whole)-1] = ','
	return append(whole, stored[1:]...), nil
}

// storedOf picks what the log holds besides. What could tell where the actor sat is for auditors.
func storedOf(a *activity.Activity, audit bool) Stored {
	s := Stored{
		RecordedAt: a.RecordedAt.UTC(), Status: string(a.Status), Severity: string(a.Severity), Category: a.Category, Message: a.Message,
		RequestID: a.RequestID, DeliveryChannels: a.DeliveryChannels,
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

// TransformSchema completes what the Go types do not say.
func (Event) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	completeEvent(r, s)
	return s
}

// TransformSchema completes what the Go types do not say.
func (Activity) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	completeEvent(r, s)
	return s
}

func completeEvent(r huma.Registry, s *huma.Schema) {
	say := func(s *huma.Schema, name, format, text string) *huma.Schema {
		p := s.Properties[name]
		p.Format, p.Description = format, text
		return p
	}
	say(s, "version", "", "The version of this form.").Enum = []any{activity.EventVersion}
	say(s, "event_id", "uuid", "The activity's id, a UUIDv7.")
	say(s, "tenant_id", "uuid", "")
	say(s, "created_at", "date-time", "When it happened.")
	say(s, "correlation_id", "uuid", "Links the activities of one workflow.")
	say(s, "target_principal_id", "uuid", "The one addressed, if any.").Nullable = true
	say(s, "action", "", "<resource>.<verb>").Examples = []any{"signal.created"}
	say(s, "visibility", "", "Who may hear of it besides the resource's owner and delegators.").Enum = []any{
		"private",
		"resource",
		"scope",
		"tenant",
	}
	payload := say(s, "payload", "", "What the service says of it.")
	payload.Type, payload.AdditionalProperties = huma.TypeObject, true

	actor := r.SchemaFromRef(s.Properties["actor"].Ref)
	say(actor, "principal_id", "uuid", "")
	say(actor, "kind", "", "user, agent, service, …; unknown when the directory does not know them")
	say(actor, "display_name", "", "Empty when the directory does not know them.")
	resource := r.SchemaFromRef(s.Properties["resource"].Ref)
	say(resource, "resource_id", "uuid", "")
	say(resource, "parent_id", "uuid", "").Nullable = true
	hints := r.SchemaFromRef(s.Properties["ui_hints"].Ref)
	say(hints, "severity", "", "").Enum = []any{"info", "warning", "error", "critical"}
}
