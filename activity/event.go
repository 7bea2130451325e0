package activity

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// EventVersion is the version of Event's form.
const EventVersion = "1"

// Event is an activity as clients receive it. It identifies the actor, and the target if it is the
// only one, but neither candidates nor other recipients.
type Event struct {
	Version           string          `json:"version"`
	EventID           uuid.UUID       `json:"event_id"`
	TenantID          uuid.UUID       `json:"tenant_id"`
	CreatedAt         time.Time       `json:"created_at"`
	CorrelationID     uuid.UUID       `json:"correlation_id"`
	Actor             Actor           `json:"actor"`
	Resource          Resource        `json:"resource"`
	Action            string          `json:"action"`
	TargetPrincipalID *uuid.UUID      `json:"target_principal_id"` // nil unless there is exactly one
	Visibility        Visibility      `json:"visibility"`
	Payload           json.RawMessage `json:"payload"`
	UIHints           UIHints         `json:"ui_hints"`
}

// Actor is the principal who performed the action, as in the directory at the time of rendering.
type Actor struct {
	PrincipalID uuid.UUID `json:"principal_id"`
	Kind        string    `json:"kind"`         // "user", "agent", "service", …; "unknown" if not in the directory
	DisplayName string    `json:"display_name"` // "" if not in the directory
}

// Resource is the resource of the activity, as it was at the time of recording.
type Resource struct {
	ResourceID   uuid.UUID  `json:"resource_id"`
	ResourceType string     `json:"resource_type"`
	ParentID     *uuid.UUID `json:"parent_id"`
	Name         string     `json:"name"`
}

// UIHints holds the texts with which a client can present an activity without knowing its action.
type UIHints struct {
	Category string   `json:"category"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`   // from the taxonomy; default "Signal created"
	Summary  string   `json:"summary"` // the message, the taxonomy's, or "Ada: signal created — Momentum 12"
	Icon     string   `json:"icon"`    // from the taxonomy; default the resource's type
}
