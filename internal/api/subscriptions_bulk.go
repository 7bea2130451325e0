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
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func (s *Server) addBulkSubscriptions(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "subscribe-many", Method: http.MethodPost, Path: "/subscriptions/bulk",
		Tags:        []string{"Subscriptions"},
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
	requests := make([]subscriptions.SubscribeRequest, len(in.Body.Subscriptions))
	for i, w := range in.Body.Subscriptions {
		requests[i] = subscriptions.SubscribeRequest{ResourceID: w.ResourceID.UUID, Scope: w.Scope}
	}
	var results []subscriptions.SubscribeResult
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if results, err = subscriptions.SubscribeMany(ctx, tx, caller.Principal, requests); err != nil {
			return err
		}
		return recordCreated(ctx, tx, caller, results)
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to many: %w", err)
	}
	response := &bulkResponse{}
	response.Body.Results = make([]SubscriptionResult, len(results))
	for i, r := range results {
		response.Body.Results[i] = resultOf(requests[i], r)
	}
	return response, nil
}

// recordCreated records the subscriptions that were created, in the transaction that creates them.
func recordCreated(
	ctx context.Context,
	tx pgx.Tx,
	caller identity.Identity,
	results []subscriptions.SubscribeResult,
) error {
	var fresh []subscriptions.Subscription
	var resources []uuid.UUID
	for _, r := range results {
		if r.Err == nil && r.Created {
			fresh, resources = append(fresh, r.Subscription), append(resources, r.ResourceID)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	types, err := directory.ResourceTypes(ctx, tx, caller.TenantID, resources)
	if err != nil {
		return err
	}
	envelopes := make([]activity.Envelope, len(fresh))
	for i, subscription := range fresh {
		envelopes[i] = subscriptionCreated(ctx, caller, subscription, types)
	}
	_, err = outbox.RecordMany(ctx, tx, envelopes)
	return err
}

func resultOf(request subscriptions.SubscribeRequest, r subscriptions.SubscribeResult) SubscriptionResult {
	result := SubscriptionResult{Status: http.StatusOK, ResourceID: request.ResourceID, Scope: request.Scope}
	switch {
	case errors.Is(r.Err, activity.ErrNotFound):
		result.Status, result.Problem = http.StatusNotFound, newProblem(NotFound).Type
		return result
	case r.Created:
		result.Status = http.StatusCreated
	}
	made := subscriptionOf(r.Subscription)
	result.Subscription = &made
	return result
}
