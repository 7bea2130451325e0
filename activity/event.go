package activity

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// EventVersion is the version of Event's form.
const EventVersion = "1"

// Event is an activity as it goes out on the wire. It names nobody but the actor and the target: no
// recipients.
type Event struct {
	Version           string          `json:"version"`
	EventID           uuid.UUID       `json:"event_id"`
	TenantID          uuid.UUID       `json:"tenant_id"`
	CreatedAt         time.Time       `json:"created_at"`
	CorrelationID     uuid.UUID       `json:"correlation_id"`
	Actor             Actor           `json:"actor"`
	Resource          Resource        `json:"resource"`
	Action            string          `json:"action"`
	TargetPrincipalID *uuid.UUID      `json:"target_principal_id"`
	Visibility        Visibility      `json:"visibility"`
	Payload           json.RawMessage `json:"payload"`
	UIHints           UIHints         `json:"ui_hints"`
}

// Actor is who did it, as the directory knows them at the moment of sending.
type Actor struct {
	PrincipalID uuid.UUID `json:"principal_id"`
	Kind        string    `json:"kind"`         // "user", "agent", "service", …; "unknown" when the directory does not know them
	DisplayName string    `json:"display_name"` // "" when the directory does not know them
}

// Resource is what it was done to, as of the recording.
type Resource struct {
	ResourceID   uuid.UUID  `json:"resource_id"`
	ResourceType string     `json:"resource_type"`
	ParentID     *uuid.UUID `json:"parent_id"`
	Name         string     `json:"name"`
}

// UIHints is what a client may show without knowing the action.
type UIHints struct {
	Category string   `json:"category"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`   // the taxonomy's, or else "Signal created"
	Summary  string   `json:"summary"` // the activity's own message, or else the taxonomy's, or else "Ada: signal created — Momentum 12"
	Icon     string   `json:"icon"`    // the taxonomy's, or else the resource's type
}
