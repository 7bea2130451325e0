package activity

import "github.com/google/uuid"

// Recorded is the outcome of recording an envelope.
type Recorded struct {
	Activity
	Created bool // false for a duplicate: the activity already existed and nothing was written
}

// ActivityRecorded is what After hooks receive, version 1 of its form.
type ActivityRecorded struct {
	RecordID uuid.UUID `json:"record_id"`
	ActorID  uuid.UUID `json:"actor_id"`
	OwnerID  uuid.UUID `json:"owner_id,omitzero"`
	Action   string    `json:"action"`
	Entity   EntityRef `json:"entity_ref"`
}

// EntityRef identifies the resource of an activity.
type EntityRef struct {
	Type string    `json:"entity_type"`
	ID   uuid.UUID `json:"entity_id"`
}

// Announcement returns what After hooks receive about the activity.
func (a *Activity) Announcement() ActivityRecorded {
	return ActivityRecorded{
		RecordID: a.ID,
		ActorID:  a.ActorPrincipalID,
		OwnerID:  a.OwnerID,
		Action:   a.Action,
		Entity:   EntityRef{Type: a.ResourceType, ID: a.ResourceID},
	}
}
