package activity

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
)

// Activity is one recorded fact. uuid.Nil, "" and nil stand for what was not given.
type Activity struct {
	ID                uuid.UUID // UUIDv7
	TenantID          uuid.UUID
	ActorPrincipalID  uuid.UUID
	ResourceID        uuid.UUID
	CorrelationID     uuid.UUID
	TargetPrincipalID uuid.UUID
	OwnerID           uuid.UUID
	ParentID          uuid.UUID
	OccurredAt        time.Time
	RecordedAt        time.Time // the database's own
	IPKeyID           int16     // which key IPHash is made with
	ResourceType      string
	ResourceName      string
	Action            string
	Visibility        Visibility
	Status            Status
	Severity          Severity
	Category          string
	DeliveryChannels  []string
	Message           string
	RequestID         string
	UserAgent         string
	Traceparent       string
	IPHash            []byte // HMAC-SHA256
	Warning           string // the rule of the taxonomy that it breaks, where that is only noted
	Payload           json.RawMessage
}

// Columns lists the columns of fanfare.activities in the order of Fields, for a row called "a".
const Columns = `a.id, a.tenant_id, a.actor_principal_id, a.resource_id, a.correlation_id, a.target_principal_id, a.owner_id, a.parent_id,
	a.occurred_at, a.recorded_at, a.ip_key_id, a.resource_type, a.resource_name, a.action, a.visibility, a.status, a.severity, a.category,
	a.delivery_channels, a.message, a.request_id, a.user_agent, a.traceparent, a.ip_hash, a.warning, a.payload`

// Fields returns where to scan Columns to.
func (a *Activity) Fields() []any {
	return []any{
		(*zeronull.UUID)(
			&a.ID,
		), (*zeronull.UUID)(&a.TenantID), (*zeronull.UUID)(&a.ActorPrincipalID), (*zeronull.UUID)(&a.ResourceID),
		(*zeronull.UUID)(
			&a.CorrelationID,
		), (*zeronull.UUID)(&a.TargetPrincipalID), (*zeronull.UUID)(&a.OwnerID), (*zeronull.UUID)(&a.ParentID),
		(*zeronull.Timestamptz)(&a.OccurredAt), (*zeronull.Timestamptz)(&a.RecordedAt), (*zeronull.Int2)(&a.IPKeyID),
		(*zeronull.Text)(&a.ResourceType), (*zeronull.Text)(&a.ResourceName), (*zeronull.Text)(&a.Action),
		(*zeronull.Text)(
			&a.Visibility,
		), (*zeronull.Text)(&a.Status), (*zeronull.Text)(&a.Severity), (*zeronull.Text)(&a.Category),
		&a.DeliveryChannels, (*zeronull.Text)(&a.Message), (*zeronull.Text)(&a.RequestID), (*zeronull.Text)(&a.UserAgent),
		(*zeronull.Text)(&a.Traceparent), &a.IPHash, (*zeronull.Text)(&a.Warning), (*[]byte)(&a.Payload),
	}
}
