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
		Summary: "Get the retention",
		Description: "The limits of the tenant, their origins, and the legal holds. A day is 24 hours; 0 means " +
			"no limit.",
		Responses: problems(),
	}, s.getRetention)
	handle(s, routes, huma.Operation{
		OperationID: "put-retention", Method: http.MethodPut, Path: "/retention",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary: "Change the retention",
		Description: "An omitted limit keeps its value; 0 removes the limit; null restores the installation's. The " +
			"change is recorded in the tenant's activity log. The next run permanently removes expired rows.",
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.putRetention)
}

// RetentionLimit is a limit and its origin.
type RetentionLimit struct {
	Value int64  `json:"value" doc:"0 means no limit." example:"365"`
	From  string `json:"from" enum:"tenant,installation" doc:"The origin of the limit."`
}

// Retention has the limits and the legal holds of a tenant.
type Retention struct {
	MaxDays         RetentionLimit `json:"max_days"`
	MaxEntries      RetentionLimit `json:"max_entries"`
	MinDays         RetentionLimit `json:"min_days"`
	InboxDays       RetentionLimit `json:"inbox_days"`
	IdempotencyDays RetentionLimit `json:"idempotency_days"`
	DeadLetterDays  RetentionLimit `json:"dead_letter_days"`
	ParkedDays      RetentionLimit `json:"parked_days"`
	TokenDays       RetentionLimit `json:"token_days"`
	MinDaysFloor    int64          `json:"min_days_floor" example:"7"`
	UpdatedAt       *time.Time     `json:"updated_at" nullable:"true" doc:"Null without limits of the tenant."`
	UpdatedBy       *uuid.UUID     `json:"updated_by" nullable:"true" format:"uuid"`
	Holds           []LegalHold    `json:"holds" nullable:"false" doc:"Active legal holds, oldest first; at most 200."`
}

// TransformSchema adds descriptions to the schema.
func (Retention) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"max_days":         "Activities older than this are removed.",
		"max_entries":      "The maximum number of activities; the oldest are removed first.",
		"min_days":         "Activities younger than this are kept, whatever the other limits are.",
		"min_days_floor":   "The installation's `min_days`. The tenant's cannot be lower.",
		"inbox_days":       "Notifications older than this are removed, read or not.",
		"idempotency_days": "An activity that is recorded again after this time is no duplicate.",
		"dead_letter_days": "Dead letters are removed this time after they died.",
		"parked_days":      "An activity that is parked for this time becomes a dead letter.",
		"token_days":       "Service tokens are removed this time after they expire or are revoked.",
	})
}

// LegalHold exempts activities from retention.
type LegalHold struct {
	ID               uuid.UUID  `json:"id" format:"uuid"`
	ResourceID       *uuid.UUID `json:"resource_id" nullable:"true" format:"uuid"`
	ActorPrincipalID *uuid.UUID `json:"actor_principal_id" nullable:"true" format:"uuid"`
	Reason           string     `json:"reason"`
	CreatedBy        uuid.UUID  `json:"created_by" format:"uuid"`
	CreatedAt        time.Time  `json:"created_at"`
}

// TransformSchema adds descriptions to the schema.
func (LegalHold) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"resource_id":        "Holds the activities of this resource, without those below it; null holds those of all.",
		"actor_principal_id": "Holds the activities of this actor; null holds those of all.",
	})
}

// RetentionChange has the limits to change.
type RetentionChange struct {
	MaxDays         limitChange `json:"max_days,omitempty"`
	MaxEntries      limitChange `json:"max_entries,omitempty"`
	MinDays         limitChange `json:"min_days,omitempty"`
	InboxDays       limitChange `json:"inbox_days,omitempty"`
	IdempotencyDays limitChange `json:"idempotency_days,omitempty"`
	DeadLetterDays  limitChange `json:"dead_letter_days,omitempty"`
	ParkedDays      limitChange `json:"parked_days,omitempty"`
	TokenDays       limitChange `json:"token_days,omitempty"`
}

// limitChange distinguishes null from an omitted field.
type limitChange struct {
	given bool
	value *int64
}

// UnmarshalJSON reads a number or null.
func (b *limitChange) UnmarshalJSON(text []byte) error {
	b.given, b.value = true, nil
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	b.value = new(int64)
	if err := json.Unmarshal(text, b.value); err != nil {
		return errors.New("must be an integer or null")
	}
	return nil
}

// Schema returns the schema in the OpenAPI document. The retention package has the limit of each
// limit.
func (limitChange) Schema(huma.Registry) *huma.Schema {
	least, most := 0.0, float64(retention.MaxEntriesBound)
	return &huma.Schema{
		Type: huma.TypeInteger, Format: "int64", Nullable: true, Minimum: &least, Maximum: &most, Examples: []any{365},
		Description: "0 removes the limit; null restores the installation's.",
	}
}

type retentionResponse struct{ Body Retention }

func (s *Server) getRetention(ctx context.Context, caller identity.Identity, _ *struct{}) (*retentionResponse, error) {
	policy, err := retention.Get(ctx, s.reads(ctx), caller.TenantID)
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
	for f, limit := range map[retention.Field]limitChange{
		retention.MaxDays:         in.Body.MaxDays,
		retention.MaxEntries:      in.Body.MaxEntries,
		retention.MinDays:         in.Body.MinDays,
		retention.InboxDays:       in.Body.InboxDays,
		retention.IdempotencyDays: in.Body.IdempotencyDays,
		retention.DeadLetterDays:  in.Body.DeadLetterDays,
		retention.ParkedDays:      in.Body.ParkedDays,
		retention.TokenDays:       in.Body.TokenDays,
	} {
		if limit.given {
			change[f] = limit.value
		}
	}
	policy, err := retention.Set(ctx, s.pool, caller.TenantID, caller.PrincipalID, change)
	if err != nil {
		return nil, err
	}
	return s.retentionOf(ctx, caller, policy)
}

// maxHolds is the maximum number of legal holds in a response.
const maxHolds = 200

func (s *Server) retentionOf(ctx context.Context, caller identity.Identity, p retention.Policy) (
	*retentionResponse, error,
) {
	holds, err := retention.Holds(ctx, s.reads(ctx), retention.HoldQuery{TenantID: caller.TenantID, Limit: maxHolds})
	if err != nil {
		return nil, err
	}
	response := &retentionResponse{Retention{
		MaxDays:         RetentionLimit(p.MaxDays),
		MaxEntries:      RetentionLimit(p.MaxEntries),
		MinDays:         RetentionLimit(p.MinDays),
		InboxDays:       RetentionLimit(p.InboxDays),
		IdempotencyDays: RetentionLimit(p.IdempotencyDays),
		DeadLetterDays:  RetentionLimit(p.DeadLetterDays),
		ParkedDays:      RetentionLimit(p.ParkedDays),
		TokenDays:       RetentionLimit(p.TokenDays),
		MinDaysFloor:    p.MinDaysFloor,
		UpdatedAt:       p.UpdatedAt,
		UpdatedBy:       p.UpdatedBy,
		Holds:           make([]LegalHold, len(holds)),
	}}
	for i, h := range holds {
		response.Body.Holds[i] = LegalHold{h.ID, h.ResourceID, h.ActorPrincipalID, h.Reason, h.CreatedBy, h.CreatedAt}
	}
	return response, nil
}
