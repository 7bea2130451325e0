package activity

import "github.com/google/uuid"

// OfEntity asks for what concerns one resource.
func OfEntity(resourceType string, id uuid.UUID) Filter {
	return Filter{ResourceType: resourceType, Resource: id}
}

// ByActor asks for what one principal did.
func ByActor(principal uuid.UUID) Filter { return Filter{Actor: principal} }

// OfOwner asks for what concerns the resources of one owner.
func OfOwner(principal uuid.UUID) Filter { return Filter{Owner: principal} }

// OfAction asks for the actions that a pattern matches: "signal.created", "signal.*".
func OfAction(pattern string) Filter { return Filter{Action: pattern} }

// OfWorkflow asks for what one correlation id links.
func OfWorkflow(correlation uuid.UUID) Filter { return Filter{CorrelationID: correlation} }
