package api

import (
	"time"

	"github.com/fanfarehq/fanfare/activity"
)

// What a list of activities can be asked for. A route takes those that it does not decide by
// itself.
type (
	// FilterCommon is what every list of activities can be asked for.
	FilterCommon struct {
		Action        string    `query:"action" maxLength:"200" doc:"A pattern of actions, as Python's fnmatch.fnmatchcase has it." example:"signal.*"`
		Target        ID        `query:"target" doc:"The principal addressed."`
		CorrelationID ID        `query:"correlation_id" doc:"The workflow."`
		RequestID     string    `query:"request_id" maxLength:"200" doc:"The request of the service that recorded it."`
		Status        string    `query:"status" enum:"success,failure"`
		Severity      string    `query:"severity" enum:"info,warning,error,critical"`
		Category      string    `query:"category" maxLength:"100"`
		Since         time.Time `query:"since" doc:"Recorded then or later."`
		Until         time.Time `query:"until" doc:"Recorded before."`
		Q             string    `query:"q" maxLength:"200" doc:"A part of the message, the resource's name or the action."`
	}
	// FilterActor asks for one actor's activities.
	FilterActor struct {
		Actor ID `query:"actor" doc:"The principal who did it."`
	}
	// FilterResource asks for a resource's activities, or those of a type of resource.
	FilterResource struct {
		Resource     ID     `query:"resource" doc:"The resource it was done to."`
		ResourceType string `query:"resource_type" maxLength:"100"`
	}
	// FilterOwner asks for the activities on what somebody owns.
	FilterOwner struct {
		Owner ID `query:"owner" doc:"The resource's owner, as of the recording."`
	}
)

func (f FilterCommon) apply(to *activity.Filter) {
	to.Action, to.Target, to.CorrelationID, to.RequestID = f.Action, f.Target.UUID, f.CorrelationID.UUID, f.RequestID
	to.Status, to.Severity, to.Category, to.Since, to.Until, to.Q = f.Status, f.Severity, f.Category, f.Since, f.Until, f.Q
}

func (f FilterActor) apply(to *activity.Filter) { to.Actor = f.Actor.UUID }

func (f FilterResource) apply(to *activity.Filter) {
	to.Resource, to.ResourceType = f.Resource.UUID, f.ResourceType
}

func (f FilterOwner) apply(to *activity.Filter) { to.Owner = f.Owner.UUID }

// filterOf joins parts of a filter.
func filterOf(parts ...interface{ apply(to *activity.Filter) }) (f activity.Filter) {
	for _, part := range parts {
		part.apply(&f)
	}
	return f
}
