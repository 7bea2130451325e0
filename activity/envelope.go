package activity

import (
	"time"

	"github.com/google/uuid"
)

// Visibility says who may hear of an activity besides the resource's owner and delegators.
type Visibility string

// The visibilities, from the narrowest to the widest.
const (
	Private       Visibility = "private"  // owner, delegators and the target only
	ResourceWide  Visibility = "resource" // subscribers with a role on the resource or an ancestor
	ScopeWide     Visibility = "scope"    // subscribers with a role there or anywhere under the resource's parent
	TenantVisible Visibility = "tenant"   // every principal of the tenant
)

// Status says whether what the activity tells of succeeded.
type Status string

// The statuses.
const (
	Success Status = "success"
	Failure Status = "failure"
)

// Severity says how much the activity matters to an operator.
type Severity string

// The severities, in their order.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Error    Severity = "error"
	Critical Severity = "critical"
)

// Words that stand for a kind of channel in Envelope.DeliveryChannels.
const (
	ToUser     = "user"     // every watcher's own channel
	ToResource = "resource" // the resource's channel
	ToTenant   = "tenant"   // the tenant's activity stream
)

// Envelope is an activity before it is recorded. The zero value of an optional field means that it
// is not given.
type Envelope struct {
	TenantID         uuid.UUID
	ActorPrincipalID uuid.UUID
	ResourceID       uuid.UUID
	ResourceType     string // 1 to 100 characters: "signal", "dataset"
	Action           string // 3 to 100 characters, <resource>.<verb>: "signal.created"

	Visibility        Visibility // default ResourceWide
	Payload           any        // what encoding/json makes a JSON object of: a struct, a map, a json.RawMessage; nil means {}
	DeliveryChannels  []string   // ToUser, ToResource, ToTenant or literal channels of the tenant; empty means user and resource
	CorrelationID     uuid.UUID  // links a workflow's activities; default a new one
	TargetPrincipalID uuid.UUID  // the one addressed
	OwnerID           uuid.UUID  // the resource's owner, parent and name as of now; filled from the directory when not given
	ParentID          uuid.UUID
	ResourceName      string // cut to 500 characters
	Message           string // cut to 4,000 characters
	RequestID         string // cut to 200 characters
	UserAgent         string // cut to 500 characters
	Status            Status // default Success
	Severity          Severity
	Category          string    // 1 to 100 characters; default the action's first word
	IP                string    // never stored: kept as a keyed hash
	Traceparent       string    // W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header
	OccurredAt        time.Time // default the time of recording
}
