// Package activitytest makes activities for tests.
package activitytest

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// NewEnvelope returns a valid envelope with random ids and no optional field.
func NewEnvelope() activity.Envelope {
	return activity.Envelope{
		TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(),
		ResourceType: "signal", Action: "signal.created",
	}
}
