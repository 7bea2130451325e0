package activity

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Visibility specifies who may see an activity besides the owner of the resource and the owner's
// delegators.
type Visibility string

// The visibilities, from the narrowest to the widest.
const (
	Private       Visibility = "private"  // only the target
	ResourceWide  Visibility = "resource" // principals with a role on the resource or an ancestor
	ScopeWide     Visibility = "scope"    // those, and principals with a role anywhere below the resource's parent
	TenantVisible Visibility = "tenant"   // every principal of the tenant
)

// Visibilities returns the visibilities, from the narrowest to the widest.
func Visibilities() []Visibility {
	return []Visibility{Private, ResourceWide, ScopeWide, TenantVisible}
}

// Status specifies whether the action succeeded.
type Status string

// The statuses.
const (
	Success Status = "success"
	Failure Status = "failure"
)

// Notify specifies whether an action notifies principals whose filter mode is mutations. The
// taxonomy says it of an action; the zero value leaves it to the patterns of the installation.
type Notify string

// The values.
const (
	NotifyDefault   Notify = "default"   // the mode mutations includes the action
	NotifyOptional  Notify = "optional"  // the mode mutations does not include the action
	NotifyMandatory Notify = "mandatory" // every mode includes the action
)

// Severity specifies how important the activity is to an operator.
type Severity string

// The severities, from the lowest to the highest.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Error    Severity = "error"
	Critical Severity = "critical"
)

// The kinds of channels in Envelope.DeliveryChannels.
const (
	ToUser     = "user"     // every recipient's own channel
	ToResource = "resource" // the resource's channel
	ToTenant   = "tenant"   // the tenant's activity stream
)

// Envelope is an activity before it is recorded. An optional field that has its zero value is not
// given. Its JSON is what the SQL function fanfare.record_activity accepts.
type Envelope struct {
	TenantID         uuid.UUID
	ActorPrincipalID uuid.UUID
	ResourceID       uuid.UUID
	ResourceType     string // 1 to 100 characters: "signal", "dataset"
	Action           string // 3 to 100 characters, <resource>.<verb>: "signal.created"

	// Visibility defaults to ResourceWide.
	Visibility Visibility
	// Payload is encoded by encoding/json to a JSON object; nil means {}.
	Payload any
	// DeliveryChannels holds ToUser, ToResource, ToTenant or literal channels of the tenant. Empty
	// means ToUser and ToResource.
	DeliveryChannels []string
	// CorrelationID links the activities of a workflow; default a new one.
	CorrelationID uuid.UUID
	// TargetPrincipalID and TargetPrincipalIDs are the principals that the action addresses, at
	// most MaxTargets together.
	TargetPrincipalID  uuid.UUID
	TargetPrincipalIDs []uuid.UUID

	// OwnerID, ParentID and ResourceName describe the resource at the time of recording. They
	// default to the directory's.
	OwnerID      uuid.UUID
	ParentID     uuid.UUID
	ResourceName string // cut to 500 characters

	Message     string    // cut to 4,000 characters
	RequestID   string    // cut to 200 characters
	UserAgent   string    // cut to 500 characters
	Status      Status    // default Success
	Severity    Severity  // default Info
	Category    string    // 1 to 100 characters; default the first word of the action
	IP          string    // not stored: only a keyed hash of it is
	Traceparent string    // W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header
	OccurredAt  time.Time // default the time of recording
}

// Targets returns the principals that the action addresses, each once and in the order in which the
// envelope gives them; nil if there are none. uuid.Nil is no principal.
func (e Envelope) Targets() []uuid.UUID {
	var targets []uuid.UUID
	add := func(id uuid.UUID) {
		if id != uuid.Nil && !slices.Contains(targets, id) {
			targets = append(targets, id)
		}
	}
	add(e.TargetPrincipalID)
	for _, id := range e.TargetPrincipalIDs[:min(len(e.TargetPrincipalIDs), MaxTargets)] {
		add(id)
	}
	return targets
}
