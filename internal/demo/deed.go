package demo

import (
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// deed is who does what to which signal. Without an action it is nothing that is recorded.
type deed struct {
	tenant, actor, signal string
	action                string
	target                string              // the person addressed, or ""
	visibility            activity.Visibility // "" is the default
	channels              []string
	correlation           uuid.UUID
}

func (d deed) tenantID() uuid.UUID { return tenantID(d.tenant) }
func (d deed) signalID() uuid.UUID { return resourceID(d.signal) }

// envelope is the deed as the application records it.
func (d deed) envelope(payload map[string]any) activity.Envelope {
	e := activity.Envelope{
		TenantID: d.tenantID(), ActorPrincipalID: principalID(d.actor), ResourceID: d.signalID(), ResourceType: "signal",
		Action: d.action, Visibility: d.visibility, DeliveryChannels: d.channels, CorrelationID: d.correlation,
		Payload: payload, RequestID: "demo", UserAgent: "fanfare-demo",
	}
	if d.target != "" {
		e.TargetPrincipalID = principalID(d.target)
	}
	return e
}

// done is what came of a deed.
type done struct {
	activityID  uuid.UUID // as recorded, or as it would have been; uuid.Nil when there is nothing to record
	committedAt time.Time // when COMMIT was sent, or the request that leads to it; zero when it was rolled back

	requests []Request // to the API
	wrong    []string  // what the API did not answer as it should have
}
