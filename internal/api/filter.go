package api

import (
	"time"

	"github.com/fanfarehq/fanfare/activity"
)

// The filter parameters of lists of activities. A route has those that its path does not determine.
type (
	// FilterCommon has the parameters of all lists of activities.
	FilterCommon struct {
		Action        string    `query:"action" maxLength:"200" doc:"A pattern of actions." example:"project.*"`
		Target        ID        `query:"target" doc:"A principal that the activity addresses."`
		CorrelationID ID        `query:"correlation_id" doc:"The correlation id."`
		RequestID     string    `query:"request_id" maxLength:"200" doc:"The id of the service's request."`
		Status        string    `query:"status" enum:"success,failure"`
		Severity      string    `query:"severity" enum:"info,warning,error,critical"`
		Category      string    `query:"category" maxLength:"100"`
		Since         time.Time `query:"since" doc:"Recorded at this time or later."`
		Until         time.Time `query:"until" doc:"Recorded before this time."`
		Q             string    `query:"q" maxLength:"200" doc:"A part of message, resource name or action."`
	}
	// FilterActor selects the activities of an actor.
	FilterActor struct {
		Actor ID `query:"actor" doc:"The actor."`
	}
	// FilterResource selects the activities of a resource, or of a type of resource.
	FilterResource struct {
		Resource     ID     `query:"resource" doc:"The resource."`
		ResourceType string `query:"resource_type" maxLength:"100"`
	}
	// FilterOwner selects the activities of the resources of an owner.
	FilterOwner struct {
		Owner ID `query:"owner" doc:"The owner of the resource at the time of recording."`
	}
)

func (f FilterCommon) apply(to *activity.Filter) {
	to.Action, to.Target, to.CorrelationID, to.RequestID = f.Action, f.Target.UUID, f.CorrelationID.UUID, f.RequestID
	to.Status, to.Severity, to.Category, to.Q = f.Status, f.Severity, f.Category, f.Q
	to.Since, to.Until = f.Since, f.Until
}

func (f FilterActor) apply(to *activity.Filter) { to.Actor = f.Actor.UUID }

func (f FilterResource) apply(to *activity.Filter) {
	to.Resource, to.ResourceType = f.Resource.UUID, f.ResourceType
}

func (f FilterOwner) apply(to *activity.Filter) { to.Owner = f.Owner.UUID }

// filterPart is a part of a filter.
type filterPart interface{ apply(to *activity.Filter) }

// filterOf combines parts of a filter.
func filterOf(parts ...filterPart) (f activity.Filter) {
	for _, part := range parts {
		part.apply(&f)
	}
	return f
}
