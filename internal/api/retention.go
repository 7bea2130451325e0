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
		Description: "The bounds of the tenant, their origins, and the legal holds. A day is 24 hours; 0 stands for " +
			"no bound.",
		Responses: problems(http.StatusForbidden),
	}, s.getRetention)
	handle(s, routes, huma.Operation{
		OperationID: "put-retention", Method: http.MethodPut, Path: "/retention",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary: "Change the retention",
		Description: "An omitted bound keeps its value; 0 removes the bound; null restores the installation's. The " +
			"change is recorded in the tenant's activity log. The next run permanently removes expired rows.",
		Responses: problems(http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType),
	}, s.putRetention)
}

// RetentionBound is a bound and its origin.
type RetentionBound struct {
	Value int64  `json:"value" doc:"0 stands for no bound." example:"365"`
	From  string `json:"from" enum:"tenant,installation" doc:"The origin of the bound."`
}

// Retention has the bounds and the legal holds of a tenant.
type Retention struct {
	MaxDays         RetentionBound `json:"max_days"`
	MaxEntries      RetentionBound `json:"max_entries"`
	MinDays         RetentionBound `json:"min_days"`
	InboxDays       RetentionBound `json:"inbox_days"`
	IdempotencyDays RetentionBound `json:"idempotency_days"`
	DeadLetterDays  RetentionBound `json:"dead_letter_days"`
	ParkedDays      RetentionBound `json:"parked_days"`
	TokenDays       RetentionBound `json:"token_days"`
	UpdatedAt       *time.Time     `json:"updated_at" nullable:"true" doc:"Null without bounds of the tenant."`
	UpdatedBy       *uuid.UUID     `json:"updated_by" nullable:"true" format:"uuid"`
	Holds           []LegalHold    `json:"holds" nullable:"false" doc:"Active legal holds, oldest first; at most 200."`
}

// TransformSchema adds descriptions to the schema.
func (Retention) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"max_days":         "Activities older than this are removed.",
		"max_entries":      "The maximum number of activities; the oldest are removed first.",
		"min_days":         "Activities younger than this are kept, whatever the other bounds are.",
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

// RetentionChange has the bounds to change.
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

// boundChange distinguishes null from an omitted field.
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
		return errors.New("must be an integer or null")
	}
	return nil
}

// Schema returns the schema in the OpenAPI document. The retention package has the limit of each
// bound.
func (boundChange) Schema(huma.Registry) *huma.Schema {
	least, most := 0.0, float64(retention.MaxEntriesBound)
	return &huma.Schema{
		Type: huma.TypeInteger, Format: "int64", Nullable: true, Minimum: &least, Maximum: &most, Examples: []any{365},
		Description: "0 removes the bound; null restores the installation's.",
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
		retention.MaxDays:         in.Body.MaxDays,
		retention.MaxEntries:      in.Body.MaxEntries,
		retention.MinDays:         in.Body.MinDays,
		retention.InboxDays:       in.Body.InboxDays,
		retention.IdempotencyDays: in.Body.IdempotencyDays,
		retention.DeadLetterDays:  in.Body.DeadLetterDays,
		retention.ParkedDays:      in.Body.ParkedDays,
		retention.TokenDays:       in.Body.TokenDays,
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

// maxHolds is the maximum number of legal holds in a response.
const maxHolds = 200

func (s *Server) retentionOf(ctx context.Context, caller identity.Identity, p retention.Policy) (
	*retentionResponse, error,
) {
	holds, err := retention.Holds(ctx, s.pool, retention.HoldQuery{TenantID: caller.TenantID, Limit: maxHolds})
	if err != nil {
		return nil, err
	}
	response := &retentionResponse{Retention{
		MaxDays:         RetentionBound(p.MaxDays),
		MaxEntries:      RetentionBound(p.MaxEntries),
		MinDays:         RetentionBound(p.MinDays),
		InboxDays:       RetentionBound(p.InboxDays),
		IdempotencyDays: RetentionBound(p.IdempotencyDays),
		DeadLetterDays:  RetentionBound(p.DeadLetterDays),
		ParkedDays:      RetentionBound(p.ParkedDays),
		TokenDays:       RetentionBound(p.TokenDays),
		UpdatedAt:       p.UpdatedAt,
		UpdatedBy:       p.UpdatedBy,
		Holds:           make([]LegalHold, len(holds)),
	}}
	for i, h := range holds {
		response.Body.Holds[i] = LegalHold{h.ID, h.ResourceID, h.ActorPrincipalID, h.Reason, h.CreatedBy, h.CreatedAt}
	}
	return response, nil
}
