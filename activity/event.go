package activity

import (
	"encoding/json"
	"strings"
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

// NewEvent renders an activity in the words of its action's name; a Phrasebook knows better ones.
// kind and name are the actor's, "" when not known.
func NewEvent(a *Activity, kind, name string) Event {
	e := newEvent(a, kind, name)
	words := wordsOf(a.Action)
	e.UIHints.Title, e.UIHints.Summary = titled(words), summaryOf(a, words, name)
	return e
}

// newEvent leaves the title and the summary to the caller.
func newEvent(a *Activity, kind, name string) Event {
	if kind == "" {
		kind = "unknown"
	}
	return Event{
		Version: EventVersion, EventID: a.ID, TenantID: a.TenantID, CreatedAt: a.OccurredAt.UTC(), CorrelationID: a.CorrelationID,
		Actor: Actor{PrincipalID: a.ActorPrincipalID, Kind: kind, DisplayName: name},
		Resource: Resource{
			ResourceID:   a.ResourceID,
			ResourceType: a.ResourceType,
			ParentID:     optional(a.ParentID),
			Name:         a.ResourceName,
		},
		Action: a.Action, TargetPrincipalID: optional(a.TargetPrincipalID), Visibility: a.Visibility, Payload: a.Payload,
		UIHints: UIHints{Category: a.Category, Severity: a.Severity, Icon: a.ResourceType},
	}
}

func optional(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// summaryOf is the activity's own message, or else made of the action's words.
func summaryOf(a *Activity, words, actor string) string {
	if a.Message != "" {
		return a.Message
	}
	summary := words
	if actor != "" {
		summary = actor + ": " + summary
	}
	if a.ResourceName != "" {
		summary += " — " + a.ResourceName
	}
	return summary
}

// wordsOf makes "run started" of "run.started".
func wordsOf(action string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '_' {
			return ' '
		}
		return r
	}, action)
}

// firstWord is the category that an activity has where nobody named one.
func firstWord(action string) string {
	word, _, _ := strings.Cut(action, ".")
	return word
}

func titled(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
