package activity

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Activity is one recorded fact. An optional field that was not given has its zero value.
type Activity struct {
	ID                 uuid.UUID // UUIDv7
	TenantID           uuid.UUID
	ActorPrincipalID   uuid.UUID
	ResourceID         uuid.UUID
	CorrelationID      uuid.UUID
	TargetPrincipalIDs []uuid.UUID // distinct; nil if there are none
	OwnerID            uuid.UUID
	ParentID           uuid.UUID
	OccurredAt         time.Time
	RecordedAt         time.Time // by the clock of the database
	IPKeyID            int16     // identifies the key of IPHash
	ResourceType       string
	ResourceName       string
	Action             string
	Visibility         Visibility
	Status             Status
	Severity           Severity
	Category           string
	DeliveryChannels   []string
	Message            string
	RequestID          string
	UserAgent          string
	Traceparent        string
	IPHash             []byte // HMAC-SHA256 of the IP address
	Warning            string // the violated rule of the taxonomy, if its enforcement is "warn"
	Payload            json.RawMessage
}

// Clone returns a copy that shares no memory with the activity.
func (a *Activity) Clone() Activity {
	c := *a
	c.TargetPrincipalIDs = slices.Clone(a.TargetPrincipalIDs)
	c.DeliveryChannels = slices.Clone(a.DeliveryChannels)
	c.IPHash = bytes.Clone(a.IPHash)
	c.Payload = bytes.Clone(a.Payload)
	return c
}

// Actor returns the principal who performed the action.
func (a *Activity) Actor() Principal {
	return Principal{TenantID: a.TenantID, PrincipalID: a.ActorPrincipalID}
}

// HasTarget reports whether the activity addresses the principal.
func (a *Activity) HasTarget(principal uuid.UUID) bool {
	return slices.Contains(a.TargetPrincipalIDs, principal)
}

// OnlyTarget returns the principal that the activity addresses if it addresses exactly one, and
// uuid.Nil otherwise.
func (a *Activity) OnlyTarget() uuid.UUID {
	if len(a.TargetPrincipalIDs) != 1 {
		return uuid.Nil
	}
	return a.TargetPrincipalIDs[0]
}
