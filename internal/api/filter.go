package api

import (
	"time"

	"github.com/fanfarehq/fanfare/activity"
)

// The filter parameters of lists of activities. A route has those that its path does not determine.
// In a body they have the same names.
type (
	// FilterCommon has the parameters of all lists of activities.
	FilterCommon struct {
		Action        string    `query:"action" json:"action,omitempty" maxLength:"200" doc:"A pattern: project.*"`
		Target        ID        `query:"target" json:"target,omitempty" doc:"A principal that the activity addresses."`
		CorrelationID ID        `query:"correlation_id" json:"correlation_id,omitempty" doc:"The correlation id."`
		RequestID     string    `query:"request_id" json:"request_id,omitempty" maxLength:"200" doc:"The service's."`
		Status        string    `query:"status" json:"status,omitempty" enum:"success,failure"`
		Severity      string    `query:"severity" json:"severity,omitempty" enum:"info,warning,error,critical"`
		Category      string    `query:"category" json:"category,omitempty" maxLength:"100"`
		Since         time.Time `query:"since" json:"since,omitempty" doc:"Recorded at this time or later."`
		Until         time.Time `query:"until" json:"until,omitempty" doc:"Recorded before this time."`
		Q             string    `query:"q" json:"q,omitempty" maxLength:"200" doc:"In message, resource name, action."`
	}
	// FilterActor selects the activities of an actor.
	FilterActor struct {
		Actor ID `query:"actor" json:"actor,omitempty" doc:"The actor."`
	}
	// FilterResource selects the activities of a resource, or of a type of resource.
	FilterResource struct {
		Resource     ID     `query:"resource" json:"resource,omitempty" doc:"The resource."`
		ResourceType string `query:"resource_type" json:"resource_type,omitempty" maxLength:"100"`
	}
	// FilterOwner selects the activities of the resources of an owner.
	FilterOwner struct {
		Owner ID `query:"owner" json:"owner,omitempty" doc:"The owner of the resource at the time of recording."`
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
