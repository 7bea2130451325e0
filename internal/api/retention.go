package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func (s *Server) addRetention(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "get-retention", Method: http.MethodGet, Path: "/retention",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary:     "Say how long what is kept",
		Description: "The bounds that apply to the tenant, where each comes from, and the legal holds. Days are 24 hours; 0 is no bound.",
		Responses:   problems(http.StatusForbidden),
	}, s.getRetention)
	handle(s, routes, huma.Operation{
		OperationID: "put-retention", Method: http.MethodPut, Path: "/retention",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary: "Change how long what is kept",
		Description: "A bound that is not given stays as it is; 0 is no bound; null gives it back to the installation. " +
			"The change is recorded in the tenant's log. What has had its time by then is removed at the next run, and for good.",
		Responses: problems(http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType),
	}, s.putRetention)
}

// RetentionBound is a bound and where it comes from.
type RetentionBound struct {
	Value int64  `json:"value" doc:"0 is no bound." example:"365"`
	From  string `json:"from" enum:"tenant,installation" doc:"Whose it is."`
}

// Retention is how long what is kept.
type Retention struct {
	MaxDays         RetentionBound `json:"max_days" doc:"Activities older than that go."`
	MaxEntries      RetentionBound `json:"max_entries" doc:"So many of the newest activities stay."`
	MinDays         RetentionBound `json:"min_days" doc:"No activity younger than that goes, whatever the other bounds say."`
	InboxDays       RetentionBound `json:"inbox_days" doc:"Notifications older than that go, read or not."`
	IdempotencyDays RetentionBound `json:"idempotency_days" doc:"Recording the same again later than that records it anew."`
	DeadLetterDays  RetentionBound `json:"dead_letter_days" doc:"Dead letters go so long after they died."`
	ParkedDays      RetentionBound `json:"parked_days" doc:"An activity that has been parked for so long becomes a dead letter."`
	TokenDays       RetentionBound `json:"token_days" doc:"Service tokens go so long after they expired or were revoked."`
	UpdatedAt       *time.Time     `json:"updated_at" nullable:"true" doc:"Of the tenant's own bounds; null while it has none."`
	UpdatedBy       *uuid.UUID     `json:"updated_by" nullable:"true" format:"uuid"`
	Holds           []LegalHold    `json:"holds" nullable:"false" doc:"The legal holds that hold, the oldest first; at most 200."`
}

// LegalHold keeps activities from being removed.
type LegalHold struct {
	ID               uuid.UUID  `json:"id" format:"uuid"`
	ResourceID       *uuid.UUID `json:"resource_id" nullable:"true" format:"uuid" doc:"What is about this resource, and not what is under it; null: about any."`
	ActorPrincipalID *uuid.UUID `json:"actor_principal_id" nullable:"true" format:"uuid" doc:"What this principal did; null: whoever did it."`
	Reason           string     `json:"reason"`
	CreatedBy        uuid.UUID  `json:"created_by" format:"uuid"`
	CreatedAt        time.Time  `json:"created_at"`
}

// RetentionChange says which bounds are to be others.
type RetentionChange struct {
	MaxDays         boundChange `json:"max_days,omitempty"`
	MaxEntries      boundChange `json:"max_entries,omitempty"`
	MinDays         boundChange `json:"min_days,omitempty"`
	InboxDays       boundChange `json:"inbox_days,omitempty"`
	IdempotencyDays boundChange `json:"idempotency_days,omitempty"`
	DeadLetterDays  boundChange `json:"dead_letter_days,omitempty"`
	ParkedDays      boundChange `json:"parked_days,omitempty"`
	TokenDays       boundChange `json:"token_days,omitempty"`
}

// boundChange tells a null from what is not given.
type boundChange struct {
	given bool
	value *int64
}

// UnmarshalJSON reads a number or null.
func (b *boundChange) UnmarshalJSON(text []byte) error {
	b.given, b.value = true, nil
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	b.value = new(int64)
	if err := json.Unmarshal(text, b.value); err != nil {
		return errors.New("must be a whole number or null")
	}
	return nil
}

// Schema is for the OpenAPI document. How much is too much is for the domain to say.
func (boundChange) Schema(huma.Registry) *huma.Schema {
	least, most := 0.0, float64(retention.MaxEntriesBound)
	return &huma.Schema{
		Type: huma.TypeInteger, Format: "int64", Nullable: true, Minimum: &least, Maximum: &most, Examples: []any{365},
		Description: "0 is no bound; null gives it back to the installation.",
	}
}

type retentionResponse struct{ Body Retention }

func (s *Server) getRetention(ctx context.Context, caller identity.Identity, _ *struct{}) (*retentionResponse, error) {
	policy, err := retention.Get(ctx, s.pool, caller.TenantID)
	if err != nil {
		return nil, err
	}
	return s.retentionOf(ctx, caller, policy)
}

func (s *Server) putRetention(
	ctx context.Context,
	caller identity.Identity,
	in *struct{ Body RetentionChange },
) (*retentionResponse, error) {
	change := retention.Change{}
	for f, bound := range map[retention.Field]boundChange{
		retention.MaxDays: in.Body.MaxDays, retention.MaxEntries: in.Body.MaxEntries, retention.MinDays: in.Body.MinDays, retention.InboxDays: in.Body.InboxDays,
		retention.IdempotencyDays: in.Body.IdempotencyDays, retention.DeadLetterDays: in.Body.DeadLetterDays, retention.ParkedDays: in.Body.ParkedDays,
		retention.TokenDays: in.Body.TokenDays,
	} {
		if bound.given {
			change[f] = bound.value
		}
	}
	policy, err := retention.Set(ctx, s.pool, caller.TenantID, caller.PrincipalID, change)
	if err != nil {
		return nil, err
	}
	return s.retentionOf(ctx, caller, policy)
}

// maxHolds bounds how many legal holds an answer has.
const maxHolds = 200

func (s *Server) retentionOf(ctx context.Context, caller identity.Identity, p retention.Policy) (
	*retentionResponse, error,
) {
	holds, err := retention.Holds(ctx, s.pool, retention.HoldQuery{TenantID: caller.TenantID, Limit: maxHolds})
	if err != nil {
		return nil, err
	}
	response := &retentionResponse{Retention{
		MaxDays: RetentionBound(
			p.MaxDays,
		), MaxEntries: RetentionBound(p.MaxEntries), MinDays: RetentionBound(p.MinDays), InboxDays: RetentionBound(p.InboxDays),
		IdempotencyDays: RetentionBound(
			p.IdempotencyDays,
		), DeadLetterDays: RetentionBound(p.DeadLetterDays), ParkedDays: RetentionBound(p.ParkedDays),
		TokenDays: RetentionBound(
			p.TokenDays,
		), UpdatedAt: p.UpdatedAt, UpdatedBy: p.UpdatedBy, Holds: make([]LegalHold, len(holds)),
	}}
	for i, h := range holds {
		response.Body.Holds[i] = LegalHold{h.ID, h.ResourceID, h.ActorPrincipalID, h.Reason, h.CreatedBy, h.CreatedAt}
	}
	return response, nil
}
