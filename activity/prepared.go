package activity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/payload"
	"github.com/fanfarehq/fanfare/activity/secrets"
)

// prepared is an envelope as it would stand in the log, but for what a log gives it: id, times and
// the hash of its IP address.
type prepared struct {
	activity Activity
	ip       string
}

// prepareAll does with envelopes what recording does before it writes. Every mistake of every one
// is reported at once.
func prepareAll(ctx context.Context, hooks Hooks, maxPayload int, envelopes []Envelope) ([]prepared, error) {
	all := make([]prepared, len(envelopes))
	var refused invalid.Error
	for i, e := range envelopes {
		p, err := prepare(ctx, hooks, maxPayload, e)
		invalidErr := (*invalid.Error)(nil)
		switch {
		case err != nil && len(envelopes) == 1:
			return nil, err
		case errors.As(err, &invalidErr):
			refused.Fields = append(refused.Fields, invalidErr.At(fmt.Sprintf("envelopes[%d].", i)).Fields...)
		case err != nil:
			return nil, fmt.Errorf("envelopes[%d]: %w", i, err)
		}
		all[i] = p
	}
	if len(refused.Fields) > 0 {
		return nil, &refused
	}
	return all, nil
}

func prepare(ctx context.Context, hooks Hooks, maxPayload int, e Envelope) (prepared, error) {
	e, err := hooks.Prepare(ctx, e)
	if err != nil {
		return prepared{}, err
	}
	raw, err := e.check()
	if err != nil {
		return prepared{}, err
	}
	if raw == nil {
		raw = []byte("{}")
	}
	raw = payload.JSONB(raw)
	if len(raw) > maxPayload {
		return prepared{}, &invalid.Error{Fields: []invalid.Field{{
			Name: "payload", Value: fmt.Sprint(len(raw), " bytes"), Rule: fmt.Sprintf("must be at most %d bytes", maxPayload),
		}}}
	}
	family, _, _ := strings.Cut(e.Action, ".")
	return prepared{ip: e.IP, activity: Activity{
		TenantID: e.TenantID, ActorPrincipalID: e.ActorPrincipalID, ResourceID: e.ResourceID, CorrelationID: e.CorrelationID,
		TargetPrincipalID: e.TargetPrincipalID, OwnerID: e.OwnerID, ParentID: e.ParentID,
		OccurredAt:   e.OccurredAt.UTC().Truncate(time.Microsecond),
		ResourceType: e.ResourceType, ResourceName: first(500, secrets.RedactText(e.ResourceName)), Action: e.Action,
		Visibility: cmp.Or(
			e.Visibility,
			ResourceWide,
		), Status: cmp.Or(e.Status, Success), Severity: cmp.Or(e.Severity, Info),
		Category: cmp.Or(e.Category, family), DeliveryChannels: append([]string{}, e.DeliveryChannels...),
		Message: first(
			4000,
			secrets.RedactText(e.Message),
		), RequestID: first(200, secrets.RedactText(e.RequestID)), UserAgent: first(500, secrets.RedactText(e.UserAgent)),
		Traceparent: e.Traceparent, Payload: raw,
	}}, nil
}

// first returns the first so many characters of a text.
func first(characters int, text string) string {
	if len(text) <= characters {
		return text
	}
	for i := range text {
		if characters--; characters < 0 {
			return text[:i]
		}
	}
	return text
}
