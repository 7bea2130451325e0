package api

import (
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// Envelope describes an envelope in the document. The database reads envelopes, so that the rules
// are those of every writer.
type Envelope struct {
	TenantID           uuid.UUID      `json:"tenant_id,omitempty" doc:"The caller's tenant, which is the default."`
	ActorPrincipalID   uuid.UUID      `json:"actor_principal_id,omitempty" doc:"Default the caller."`
	ResourceID         uuid.UUID      `json:"resource_id"`
	ResourceType       string         `json:"resource_type" minLength:"1" maxLength:"100" example:"order"`
	Action             string         `json:"action" minLength:"3" maxLength:"100" example:"order.created"`
	Visibility         string         `json:"visibility,omitempty" enum:"private,resource,scope,tenant"`
	Payload            map[string]any `json:"payload,omitempty" doc:"At most 64 KiB, or what the installation sets."`
	DeliveryChannels   []string       `json:"delivery_channels,omitempty" maxItems:"32"`
	CorrelationID      uuid.UUID      `json:"correlation_id,omitempty"`
	TargetPrincipalID  uuid.UUID      `json:"target_principal_id,omitempty" doc:"A principal that it addresses."`
	TargetPrincipalIDs []uuid.UUID    `json:"target_principal_ids,omitempty" maxItems:"32"`
	OwnerID            uuid.UUID      `json:"owner_id,omitempty" doc:"The resource's owner; default the directory's."`
	ParentID           uuid.UUID      `json:"parent_id,omitempty" doc:"The resource's parent; default the directory's."`
	ResourceName       string         `json:"resource_name,omitempty" doc:"Default the directory's; truncated."`
	Message            string         `json:"message,omitempty" doc:"Truncated to 4,000 characters."`
	RequestID          string         `json:"request_id,omitempty" doc:"Truncated to 200 characters."`
	UserAgent          string         `json:"user_agent,omitempty" doc:"Truncated to 500 characters."`
	Status             string         `json:"status,omitempty" enum:"success,failure"`
	Severity           string         `json:"severity,omitempty" enum:"info,warning,error,critical"`
	Category           string         `json:"category,omitempty" maxLength:"100" doc:"Default the taxonomy's."`
	IP                 string         `json:"ip,omitempty" doc:"Only a keyed hash of it is stored."`
	Traceparent        string         `json:"traceparent,omitempty" doc:"W3C Trace Context."`
	OccurredAt         string         `json:"occurred_at,omitempty" format:"date-time" doc:"Default the present."`
}

// TransformSchema adds descriptions to the schema. A field that is not required may be null.
func (Envelope) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for name, property := range s.Properties {
		property.Nullable = !slices.Contains(s.Required, name)
		if property.Nullable && len(property.Enum) > 0 {
			property.Enum = append(property.Enum, nil)
		}
	}
	return describe(s, map[string]string{
		"delivery_channels": "user, resource, tenant, or channels of the tenant in another namespace: " +
			"<namespace>:<tenant>.<rest>. Default user and resource.",
		"correlation_id": "Links the activities of one workflow. With the tenant, the action and the resource it " +
			"identifies an activity.",
		"target_principal_ids": "The principals that it addresses: those invited or mentioned.",
	})
}

// recordSchema returns the schema of one envelope, or of a list of envelopes.
func recordSchema(registry huma.Registry) *huma.Schema {
	one := registry.Schema(reflect.TypeFor[Envelope](), true, "Envelope")
	least, most := 1, maxRecorded
	return &huma.Schema{OneOf: []*huma.Schema{one, {
		Type: huma.TypeObject, Required: []string{"activities"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"activities": {Type: huma.TypeArray, Items: one, MinItems: &least, MaxItems: &most},
		},
	}}}
}
