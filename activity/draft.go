package activity

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/payload"
)

// DefaultMaxPayload is the number of bytes of payload that an installation accepts unless it sets
// another limit.
const DefaultMaxPayload = 64 << 10

// Draft is an envelope as a log records it, before the log adds what only it knows: the id,
// RecordedAt and the hash of the IP address.
type Draft struct {
	Activity Activity
	IP       string
}

// Drafts prepares envelopes (Hooks.Prepare), validates them and returns what a log without a
// directory records: with defaults filled in, texts cut, secrets redacted, and the payload as
// PostgreSQL's jsonb writes it, of maxPayload bytes at most.
//
// An *invalid.Error names the fields of every refused envelope as "envelopes[3].action", those of
// one that is alone as "action".
func (h Hooks) Drafts(ctx context.Context, maxPayload int, envelopes []Envelope) ([]Draft, error) {
	if len(envelopes) == 1 {
		draft, err := h.draft(ctx, maxPayload, envelopes[0])
		if err != nil {
			return nil, err
		}
		return []Draft{draft}, nil
	}
	return invalid.Each("envelopes", envelopes, func(e Envelope) (Draft, error) { return h.draft(ctx, maxPayload, e) })
}

func (h Hooks) draft(ctx context.Context, maxPayload int, e Envelope) (Draft, error) {
	e, err := h.Prepare(ctx, e)
	if err != nil {
		return Draft{}, err
	}
	raw, err := e.check()
	if err != nil {
		return Draft{}, err
	}
	if raw == nil {
		raw = []byte("{}")
	}
	raw = payload.JSONB(raw)
	if len(raw) > maxPayload {
		return Draft{}, &invalid.Error{Fields: []invalid.Field{{
			Name:  "payload",
			Value: fmt.Sprint(len(raw), " bytes"),
			Rule:  fmt.Sprintf("must be at most %d bytes", maxPayload),
		}}}
	}
	return Draft{IP: e.IP, Activity: Activity{
		TenantID:           e.TenantID,
		ActorPrincipalID:   e.ActorPrincipalID,
		ResourceID:         e.ResourceID,
		CorrelationID:      e.CorrelationID,
		TargetPrincipalIDs: e.Targets(),
		OwnerID:            e.OwnerID,
		ParentID:           e.ParentID,
		OccurredAt:         e.OccurredAt.UTC().Truncate(time.Microsecond),
		ResourceType:       e.ResourceType,
		ResourceName:       first(maxResourceName, redactedText(maxResourceName, e.ResourceName)),
		Action:             e.Action,
		Visibility:         cmp.Or(e.Visibility, ResourceWide),
		Status:             cmp.Or(e.Status, Success),
		Severity:           cmp.Or(e.Severity, Info),
		Category:           cmp.Or(e.Category, DefaultCategory(e.Action)),
		DeliveryChannels:   append([]string{}, e.DeliveryChannels...),
		Message:            first(maxMessage, redactedText(maxMessage, e.Message)),
		RequestID:          first(maxRequestID, redactedText(maxRequestID, e.RequestID)),
		UserAgent:          first(maxResourceName, redactedText(maxUserAgent, e.UserAgent)),
		Traceparent:        e.Traceparent,
		Payload:            raw,
	}}, nil
}

// DefaultCategory returns the category of an activity whose writer and taxonomy name none: the
// first word of its action, such as "signal" for "signal.created".
func DefaultCategory(action string) string {
	word, _, _ := strings.Cut(action, ".")
	return word
}
