package pglog

import (
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Columns lists the columns of fanfare.activities in the order of ScanTargets, for a row that the
// query calls "a".
const Columns = `a.id, a.tenant_id, a.actor_principal_id, a.resource_id, a.correlation_id,
	a.target_principal_ids, a.owner_id, a.parent_id, a.occurred_at, a.recorded_at, a.ip_key_id,
	a.resource_type, a.resource_name, a.action, a.visibility, a.status, a.severity, a.category,
	a.delivery_channels, a.message, a.request_id, a.user_agent, a.traceparent, encode(a.ip_hash, 'hex'),
	a.warning, a.payload`

// ScanTargets returns the destinations to scan Columns into. NULL becomes the zero value.
func ScanTargets(a *activity.Activity) []any {
	return []any{
		(*zeronull.UUID)(&a.ID),
		(*zeronull.UUID)(&a.TenantID),
		(*zeronull.UUID)(&a.ActorPrincipalID),
		(*zeronull.UUID)(&a.ResourceID),
		(*zeronull.UUID)(&a.CorrelationID),
		&a.TargetPrincipalIDs,
		(*zeronull.UUID)(&a.OwnerID),
		(*zeronull.UUID)(&a.ParentID),
		(*zeronull.Timestamptz)(&a.OccurredAt),
		(*zeronull.Timestamptz)(&a.RecordedAt),
		(*zeronull.Int2)(&a.IPKeyID),
		(*zeronull.Text)(&a.ResourceType),
		(*zeronull.Text)(&a.ResourceName),
		(*zeronull.Text)(&a.Action),
		(*zeronull.Text)(&a.Visibility),
		(*zeronull.Text)(&a.Status),
		(*zeronull.Text)(&a.Severity),
		(*zeronull.Text)(&a.Category),
		&a.DeliveryChannels,
		(*zeronull.Text)(&a.Message),
		(*zeronull.Text)(&a.RequestID),
		(*zeronull.Text)(&a.UserAgent),
		(*zeronull.Text)(&a.Traceparent),
		(*pg.Hex)(&a.IPHash),
		(*zeronull.Text)(&a.Warning),
		(*[]byte)(&a.Payload),
	}
}

// HeaderColumns lists the columns that decide who may see an activity, in the order of
// HeaderTargets, for a row that the query calls "a".
const HeaderColumns = `a.id, a.tenant_id, a.actor_principal_id, a.resource_id, a.target_principal_ids,
	a.owner_id, a.parent_id, a.visibility`

// HeaderTargets returns the destinations to scan HeaderColumns into. NULL becomes the zero value.
func HeaderTargets(a *activity.Activity) []any {
	return []any{
		(*zeronull.UUID)(&a.ID),
		(*zeronull.UUID)(&a.TenantID),
		(*zeronull.UUID)(&a.ActorPrincipalID),
		(*zeronull.UUID)(&a.ResourceID),
		&a.TargetPrincipalIDs,
		(*zeronull.UUID)(&a.OwnerID),
		(*zeronull.UUID)(&a.ParentID),
		(*zeronull.Text)(&a.Visibility),
	}
}

// EventColumns lists the columns that decide who may see an activity, and those of its event, in
// the order of EventTargets, for a row that the query calls "a".
const EventColumns = HeaderColumns + `, ` + contentColumns

// EventTargets returns the destinations to scan EventColumns into. NULL becomes the zero value.
func EventTargets(a *activity.Activity) []any { return append(HeaderTargets(a), contentTargets(a)...) }

// contentColumns lists the columns of an event that HeaderColumns lacks.
const contentColumns = `a.correlation_id, a.occurred_at, a.resource_type, a.resource_name,
	a.action, a.status, a.severity, a.category, a.message, a.payload`

func contentTargets(a *activity.Activity) []any {
	return []any{
		(*zeronull.UUID)(&a.CorrelationID),
		(*zeronull.Timestamptz)(&a.OccurredAt),
		(*zeronull.Text)(&a.ResourceType),
		(*zeronull.Text)(&a.ResourceName),
		(*zeronull.Text)(&a.Action),
		(*zeronull.Text)(&a.Status),
		(*zeronull.Text)(&a.Severity),
		(*zeronull.Text)(&a.Category),
		(*zeronull.Text)(&a.Message),
		(*[]byte)(&a.Payload),
	}
}

// DeliveryColumns lists the columns that decide how an activity is delivered, and those of its
// event, in the order of DeliveryTargets. It lacks those that the activity's row in a queue has,
// too: id, tenant_id, resource_id and recorded_at.
const DeliveryColumns = `a.actor_principal_id, a.target_principal_ids, a.owner_id, a.parent_id, a.visibility,
	a.delivery_channels, a.warning, ` + contentColumns

// DeliveryTargets returns the destinations to scan DeliveryColumns into. NULL becomes the zero
// value.
func DeliveryTargets(a *activity.Activity) []any {
	return append([]any{
		(*zeronull.UUID)(&a.ActorPrincipalID),
		&a.TargetPrincipalIDs,
		(*zeronull.UUID)(&a.OwnerID),
		(*zeronull.UUID)(&a.ParentID),
		(*zeronull.Text)(&a.Visibility),
		&a.DeliveryChannels,
		(*zeronull.Text)(&a.Warning),
	}, contentTargets(a)...)
}

// projection is a list of columns with the destinations to scan them into.
type projection struct {
	columns string
	targets func(a *activity.Activity) []any
}

var (
	wholeActivity = projection{Columns, ScanTargets}
	headersOnly   = projection{HeaderColumns, HeaderTargets}

	// groupedHeaders are headers with what else groups activities.
	groupedHeaders = projection{
		HeaderColumns + `, a.correlation_id, a.recorded_at`,
		func(a *activity.Activity) []any {
			return append(HeaderTargets(a), (*zeronull.UUID)(&a.CorrelationID), (*zeronull.Timestamptz)(&a.RecordedAt))
		},
	}
)
