package render

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy/template"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// unknownKind is the kind of an actor that the directory does not contain.
const unknownKind = "unknown"

// newEvent returns the event of an activity without its title and summary.
func newEvent(a *activity.Activity, actor directory.Actor) activity.Event {
	if actor.Kind == "" {
		actor.Kind = unknownKind
	}
	return activity.Event{
		Version:       activity.EventVersion,
		EventID:       a.ID,
		TenantID:      a.TenantID,
		CreatedAt:     a.OccurredAt.UTC(),
		CorrelationID: a.CorrelationID,
		Actor: activity.Actor{
			PrincipalID: a.ActorPrincipalID,
			Kind:        actor.Kind,
			DisplayName: actor.DisplayName,
		},
		Resource: activity.Resource{
			ResourceID:   a.ResourceID,
			ResourceType: a.ResourceType,
			ParentID:     nullable(a.ParentID),
			Name:         a.ResourceName,
		},
		Action:            a.Action,
		TargetPrincipalID: nullable(a.OnlyTarget()),
		Visibility:        a.Visibility,
		Payload:           a.Payload,
		UIHints:           activity.UIHints{Category: a.Category, Severity: a.Severity, Icon: a.ResourceType},
	}
}

func nullable(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// defaultTitle returns "Signal created" for "signal.created".
func defaultTitle(action string) string { return template.Capitalize(template.Words(action)) }

// defaultSummary returns the activity's message, or else "Ada: signal created — Momentum 12".
func defaultSummary(a *activity.Activity, actor string) string {
	if a.Message != "" {
		return a.Message
	}
	summary := template.Words(a.Action)
	if actor != "" {
		summary = actor + ": " + summary
	}
	if a.ResourceName != "" {
		summary += " — " + a.ResourceName
	}
	return summary
}
