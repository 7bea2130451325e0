package activity

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/secrets"
)

// wire is the form of an envelope that fanfare.record_activity accepts.
type wire struct {
	TenantID          uuid.UUID       `json:"tenant_id"`
	ActorPrincipalID  uuid.UUID       `json:"actor_principal_id"`
	ResourceID        uuid.UUID       `json:"resource_id"`
	ResourceType      string          `json:"resource_type"`
	Action            string          `json:"action"`
	Visibility        Visibility      `json:"visibility,omitempty"`
	Payload           json.RawMessage `json:"payload,omitempty"`
	DeliveryChannels  []string        `json:"delivery_channels,omitempty"`
	CorrelationID     uuid.UUID       `json:"correlation_id,omitzero"`
	TargetPrincipalID uuid.UUID       `json:"target_principal_id,omitzero"`
	OwnerID           uuid.UUID       `json:"owner_id,omitzero"`
	ParentID          uuid.UUID       `json:"parent_id,omitzero"`
	ResourceName      string          `json:"resource_name,omitempty"`
	Message           string          `json:"message,omitempty"`
	RequestID         string          `json:"request_id,omitempty"`
	UserAgent         string          `json:"user_agent,omitempty"`
	Status            Status          `json:"status,omitempty"`
	Severity          Severity        `json:"severity,omitempty"`
	Category          string          `json:"category,omitempty"`
	IP                string          `json:"ip,omitempty"`
	Traceparent       string          `json:"traceparent,omitempty"`
	OccurredAt        time.Time       `json:"occurred_at,omitzero"`
}

// Encode validates the envelope by every rule that needs no database and returns it, without
// secrets, as the JSON that fanfare.record_activity accepts. The error is an *invalid.Error that
// names every field which violates a rule.
func (e Envelope) Encode() ([]byte, error) {
	payload, err := e.check()
	if err != nil {
		return nil, err
	}
	return json.Marshal(wire{
		TenantID:          e.TenantID,
		ActorPrincipalID:  e.ActorPrincipalID,
		ResourceID:        e.ResourceID,
		ResourceType:      e.ResourceType,
		Action:            e.Action,
		Visibility:        e.Visibility,
		Payload:           payload,
		DeliveryChannels:  e.DeliveryChannels,
		CorrelationID:     e.CorrelationID,
		TargetPrincipalID: e.TargetPrincipalID,
		OwnerID:           e.OwnerID,
		ParentID:          e.ParentID,
		ResourceName:      secrets.RedactText(e.ResourceName),
		Message:           secrets.RedactText(e.Message),
		RequestID:         secrets.RedactText(e.RequestID),
		UserAgent:         secrets.RedactText(e.UserAgent),
		Status:            e.Status,
		Severity:          e.Severity,
		Category:          e.Category,
		IP:                e.IP,
		Traceparent:       e.Traceparent,
		OccurredAt:        e.OccurredAt.UTC().Truncate(time.Microsecond),
	})
}
