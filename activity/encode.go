package activity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/secrets"
)

// wire is the form of an envelope that fanfare.record_activity accepts.
type wire struct {
	TenantID         uuid.UUID       `json:"tenant_id"`
	ActorPrincipalID uuid.UUID       `json:"actor_principal_id"`
	ResourceID       uuid.UUID       `json:"resource_id"`
	ResourceType     string          `json:"resource_type"`
	Action           string          `json:"action"`
	Visibility       Visibility      `json:"visibility,omitempty"`
	Severity         Severity        `json:"severity,omitempty"`
	Category         string          `json:"category,omitempty"`
	Payload          json.RawMessage `json:"payload,omitempty"`
	wireOptions
}

// wireOptions are the fields for which fanfare.record_fields has no parameters of their own.
type wireOptions struct {
	DeliveryChannels   []string    `json:"delivery_channels,omitempty"`
	CorrelationID      uuid.UUID   `json:"correlation_id,omitzero"`
	TargetPrincipalID  uuid.UUID   `json:"target_principal_id,omitzero"`
	TargetPrincipalIDs []uuid.UUID `json:"target_principal_ids,omitempty"`
	OwnerID            uuid.UUID   `json:"owner_id,omitzero"`
	ParentID           uuid.UUID   `json:"parent_id,omitzero"`
	ResourceName       string      `json:"resource_name,omitempty"`
	Message            string      `json:"message,omitempty"`
	RequestID          string      `json:"request_id,omitempty"`
	UserAgent          string      `json:"user_agent,omitempty"`
	Status             Status      `json:"status,omitempty"`
	IP                 string      `json:"ip,omitempty"`
	Traceparent        string      `json:"traceparent,omitempty"`
	OccurredAt         wireTime    `json:"occurred_at,omitzero"`
}

// Encode validates the envelope by every rule that needs no database and returns it, without
// secrets, as the JSON that fanfare.record_activity accepts. The error is an *invalid.Error that
// names every field which violates a rule.
func (e Envelope) Encode() ([]byte, error) {
	payload, err := e.check()
	if err != nil {
		return nil, err
	}
	return json.Marshal(e.wire(payload))
}

// EncodeFields is Encode for fanfare.record_fields: it returns the payload, and the fields for
// which that function has no parameters of their own. Each is nil if the envelope has none.
func (e Envelope) EncodeFields() (payload, options json.RawMessage, err error) {
	if payload, err = e.check(); err != nil {
		return nil, nil, err
	}
	if options, err = json.Marshal(e.options()); string(options) == "{}" {
		options = nil
	}
	return payload, options, err
}

// MarshalJSON returns the envelope, without secrets, as the JSON that fanfare.record_activity
// accepts. In contrast to Encode it checks no rule but that the payload is JSON, because the
// database checks all of them.
func (e Envelope) MarshalJSON() ([]byte, error) {
	var raw json.RawMessage
	switch payload := e.Payload.(type) {
	case nil:
	case secrets.JSON:
		raw = payload.Raw()
	default:
		encoded, err := json.Marshal(payload)
		if err != nil {
			return nil, fmt.Errorf("encode the payload: %w", err)
		}
		raw = secrets.RedactJSON(encoded)
	}
	return json.Marshal(e.wire(raw))
}

// UnmarshalJSON reads the JSON that MarshalJSON returns. The payload becomes a json.RawMessage. The
// error is an *invalid.Error if a field has the wrong form or is none of an envelope; it checks no
// other rule.
func (e *Envelope) UnmarshalJSON(text []byte) error {
	var w wire
	if decodeWire(text, &w) != nil {
		return decodeError(text)
	}
	*e = Envelope{
		TenantID: w.TenantID, ActorPrincipalID: w.ActorPrincipalID, ResourceID: w.ResourceID,
		ResourceType: w.ResourceType, Action: w.Action, Visibility: w.Visibility,
		DeliveryChannels: w.DeliveryChannels, CorrelationID: w.CorrelationID, TargetPrincipalID: w.TargetPrincipalID,
		TargetPrincipalIDs: w.TargetPrincipalIDs,
		OwnerID:            w.OwnerID, ParentID: w.ParentID, ResourceName: w.ResourceName,
		Message: w.Message, RequestID: w.RequestID, UserAgent: w.UserAgent, Status: w.Status, Severity: w.Severity,
		Category: w.Category, IP: w.IP, Traceparent: w.Traceparent, OccurredAt: time.Time(w.OccurredAt),
	}
	if w.Payload != nil {
		e.Payload = w.Payload
	}
	return nil
}

// decodeError returns the error of a text that is not the JSON of an envelope: every field that is
// none, or cannot be decoded.
func decodeError(text []byte) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return &invalid.Error{Fields: []invalid.Field{{Name: "envelope", Rule: "must be a JSON object"}}}
	}
	refused := &invalid.Error{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		alone, err := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err == nil {
			err = decodeWire(alone, &wire{})
		}
		rule := ""
		switch {
		case err == nil:
			continue
		case strings.HasPrefix(err.Error(), "json: unknown field"):
			rule = "is not a field of the envelope"
		case name == "occurred_at":
			rule = ruleTime
		case name == "target_principal_ids":
			rule = "must be a list of UUIDs"
		case strings.HasSuffix(name, "_id") && name != "request_id":
			rule = "must be a UUID"
		default:
			rule = "must have the type that the field has in fanfare.record_activity"
		}
		refused.Fields = append(refused.Fields, invalid.Field{Name: first(100, secrets.RedactText(name)), Rule: rule})
	}
	return refused
}

func decodeWire(text []byte, w *wire) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(w)
}

// ruleTime is the rule of a time.
const ruleTime = "must be a time with a zone, such as 2026-01-02T15:04:05Z"

// wireTime is a time as JSON. Its zero value is none.
type wireTime time.Time

func (t wireTime) IsZero() bool                 { return time.Time(t).IsZero() }
func (t wireTime) MarshalText() ([]byte, error) { return time.Time(t).MarshalText() }
func (t *wireTime) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(text))
	*t = wireTime(at)
	return err
}

// wire returns the envelope with this payload in the form that fanfare.record_activity accepts.
func (e Envelope) wire(payload json.RawMessage) wire {
	return wire{
		TenantID:         e.TenantID,
		ActorPrincipalID: e.ActorPrincipalID,
		ResourceID:       e.ResourceID,
		ResourceType:     e.ResourceType,
		Action:           e.Action,
		Visibility:       e.Visibility,
		Severity:         e.Severity,
		Category:         e.Category,
		Payload:          payload,
		wireOptions:      e.options(),
	}
}

func (e Envelope) options() wireOptions {
	return wireOptions{
		DeliveryChannels:   e.DeliveryChannels,
		CorrelationID:      e.CorrelationID,
		TargetPrincipalID:  e.TargetPrincipalID,
		TargetPrincipalIDs: e.TargetPrincipalIDs,
		OwnerID:            e.OwnerID,
		ParentID:           e.ParentID,
		ResourceName:       redactedText(maxResourceName, e.ResourceName),
		Message:            redactedText(maxMessage, e.Message),
		RequestID:          redactedText(maxRequestID, e.RequestID),
		UserAgent:          redactedText(maxUserAgent, e.UserAgent),
		Status:             e.Status,
		IP:                 e.IP,
		Traceparent:        e.Traceparent,
		OccurredAt:         wireTime(e.OccurredAt.UTC().Truncate(time.Microsecond)),
	}
}

// The maximum lengths of texts, in characters. Longer ones are cut.
const (
	maxResourceName = 500
	maxMessage      = 4000
	maxRequestID    = 200
	maxUserAgent    = 500
)

// redactedText returns a text without secrets. It reads the characters that are stored and the
// 1,000 behind them, where a secret may end, as the database does; the rest is cut.
func redactedText(characters int, text string) string {
	return secrets.RedactText(first(characters+1000, text))
}
