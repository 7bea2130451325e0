package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
)

func (s *Server) addBulkSubscriptions(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "subscribe-many", Method: http.MethodPost, Path: "/subscriptions/bulk", Tags: []string{"Subscriptions"},
		Summary:     "Subscribe to many resources",
		Description: "Up to 1,000. What cannot be granted is said of each one by itself, and does not hinder the others.",
		Responses:   problems(http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType),
	}, s.subscribeMany)
}

// SubscriptionResult is what became of one wish.
type SubscriptionResult struct {
	Status       int           `json:"status" enum:"200,201,404" doc:"201: it is new. 200: it stood already. 404: there is no such resource, or none that the principal may subscribe to."`
	ResourceID   uuid.UUID     `json:"resource_id" format:"uuid"`
	Scope        string        `json:"scope" enum:"resource,descendants"`
	Subscription *Subscription `json:"subscription,omitempty" doc:"Not with a status of 404."`
	Problem      string        `json:"problem,omitempty" doc:"The type of the problem, with a status of 404." example:"/problems/not-found"`
}

type bulkResponse struct {
	Body struct {
		Results []SubscriptionResult `json:"results" nullable:"false" doc:"One for each wish, in their order."`
	} `nameHint:"SubscriptionResults"`
}

func (s *Server) subscribeMany(ctx context.Context, caller identity.Identity, in *struct {
	Body struct {
		Subscriptions []SubscribeRequest `json:"subscriptions" nullable:"false" minItems:"1" maxItems:"1000"`
	} `nameHint:"SubscriptionWishes"`
},
) (*bulkResponse, error) {
	wishes := make([]watchers.Wish, len(in.Body.Subscriptions))
	for i, w := range in.Body.Subscriptions {
		wishes[i] = watchers.Wish{ResourceID: w.ResourceID.UUID, Scope: w.Scope}
	}
	var granted []watchers.Granted
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if granted, err = watchers.SubscribeMany(ctx, tx, caller.TenantID, caller.PrincipalID, wishes); err != nil {
			return err
		}
		return recordGranted(ctx, tx, caller, granted)
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to many: %w", err)
	}
	response := &bulkResponse{}
	response.Body.Results = make([]SubscriptionResult, len(wishes))
	for i, g := range granted {
		response.Body.Results[i] = resultOf(wishes[i], g)
	}
	return response, nil
}

// recordGranted records what is new, in the transaction that makes it.
func recordGranted(ctx context.Context, tx pgx.Tx, caller identity.Identity, granted []watchers.Granted) error {
	var fresh []watchers.Subscription
	var resources []uuid.UUID
	for _, g := range granted {
		if g.Err == nil && g.Created {
			fresh, resources = append(fresh, g.Subscription), append(resources, g.ResourceID)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	types, err := watchers.ResourceTypes(ctx, tx, caller.TenantID, resources)
	if err != nil {
		return err
	}
	envelopes := make([]activity.Envelope, len(fresh))
	for i, subscription := range fresh {
		envelopes[i] = newEnvelope(ctx, caller)
		describe(&envelopes[i], subscriptionCreated, subscription, types)
	}
	_, err = outbox.RecordMany(ctx, tx, envelopes)
	return err
}

func resultOf(w watchers.Wish, g watchers.Granted) SubscriptionResult {
	result := SubscriptionResult{Status: http.StatusOK, ResourceID: w.ResourceID, Scope: w.Scope}
	switch {
	case errors.Is(g.Err, activity.ErrNotFound):
		result.Status, result.Problem = http.StatusNotFound, newProblem(NotFound).Type
		return result
	case g.Created:
		result.Status = http.StatusCreated
	}
	made := subscriptionOf(g.Subscription)
	result.Subscription = &made
	return result
}
