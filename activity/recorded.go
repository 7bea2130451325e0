package activity

import "github.com/google/uuid"

// Recorded is what became of an envelope.
type Recorded struct {
	Activity
	Created bool // false: the activity stood already, nothing was written and nobody is told again
}

// ActivityRecorded is what hooks behind the appending hear, version 1 of its form.
type ActivityRecorded struct {
	RecordID uuid.UUID `json:"record_id"`
	ActorID  uuid.UUID `json:"actor_id"`
	OwnerID  uuid.UUID `json:"owner_id,omitzero"`
	Action   string    `json:"action"`
	Entity   EntityRef `json:"entity_ref"`
}

// EntityRef names what an activity is about.
type EntityRef struct {
	Type string    `json:"entity_type"`
	ID   uuid.UUID `json:"entity_id"`
}

// Announcement is what hooks hear of the activity.
func (a *Activity) Announcement() ActivityRecorded {
	return ActivityRecorded{
		RecordID: a.ID, ActorID: a.ActorPrincipalID, OwnerID: a.OwnerID, Action: a.Action,
		Entity: EntityRef{Type: a.ResourceType, ID: a.ResourceID},
	}
}
