package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/subscriptionlog"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func (s *Server) addBulkSubscriptions(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "subscribe-many", Method: http.MethodPost, Path: "/subscriptions/bulk",
		Tags:        []string{"Subscriptions"},
		Summary:     "Subscribe to many resources",
		Description: "Accepts up to 1,000 requests. Each has its own result; a failure does not affect the others.",
		Responses:   problems(http.StatusUnsupportedMediaType),
	}, s.subscribeMany)
}

// SubscriptionResult is the result of one SubscribeRequest.
type SubscriptionResult struct {
	Status       int           `json:"status" enum:"200,201,404"`
	ResourceID   uuid.UUID     `json:"resource_id" format:"uuid"`
	Scope        string        `json:"scope" enum:"resource,descendants"`
	Subscription *Subscription `json:"subscription,omitempty" doc:"Absent with the status 404."`
	Problem      string        `json:"problem,omitempty" doc:"The type of the problem."`
}

// TransformSchema adds descriptions to the schema.
func (SubscriptionResult) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"status": "201: the subscription is new. 200: it exists already. " +
			"404: the resource does not exist, or the caller is not permitted to subscribe to it.",
	})
}

type bulkResponse struct {
	Body struct {
		Results []SubscriptionResult `json:"results" nullable:"false" doc:"One for each request, in their order."`
	} `nameHint:"SubscriptionResults"`
}

func (s *Server) subscribeMany(ctx context.Context, caller identity.Identity, in *struct {
	Body struct {
		Subscriptions []SubscribeRequest `json:"subscriptions" nullable:"false" minItems:"1" maxItems:"1000"`
	} `nameHint:"SubscribeRequests"`
},
) (*bulkResponse, error) {
	requests := make([]subscriptions.SubscribeRequest, len(in.Body.Subscriptions))
	for i, r := range in.Body.Subscriptions {
		requests[i] = r.request()
	}
	results, err := subscriptionlog.SubscribeMany(ctx, s.pool, callerOf(ctx, caller), requests)
	if err != nil {
		return nil, err
	}
	response := &bulkResponse{}
	response.Body.Results = make([]SubscriptionResult, len(results))
	for i, r := range results {
		response.Body.Results[i] = resultOf(caller, requests[i], r)
	}
	return response, nil
}

func resultOf(
	caller identity.Identity, request subscriptions.SubscribeRequest, r subscriptions.SubscribeResult,
) SubscriptionResult {
	result := SubscriptionResult{Status: http.StatusOK, ResourceID: request.ResourceID, Scope: request.Scope}
	switch {
	case errors.Is(r.Err, activity.ErrNotFound):
		result.Status, result.Problem = http.StatusNotFound, newProblem(NotFound).Type
		return result
	case r.Created:
		result.Status = http.StatusCreated
	}
	subscription := subscriptionOf(caller, r.Subscription)
	result.Subscription = &subscription
	return result
}
