package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/subscriptionlog"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func (s *Server) addSubscriptions(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "subscribe", Method: http.MethodPost, Path: "/subscriptions",
		Tags: []string{"Subscriptions"}, DefaultStatus: http.StatusCreated,
		Summary: "Subscribe to a resource",
		Description: "Requires a role on the resource or on one of its ancestors, or ownership. Returns the existing " +
			"subscription if there is one; a new one is recorded as `subscription.created`. To subscribe a group, " +
			"the caller must be the owner or a delegator of the resource.",
		Responses: problems(http.StatusNotFound, http.StatusUnsupportedMediaType),
	}, s.subscribe)
	handle(s, routes, huma.Operation{
		OperationID: "list-subscriptions", Method: http.MethodGet, Path: "/subscriptions",
		Tags:    []string{"Subscriptions"},
		Summary: "List subscriptions",
		Description: "The caller's subscriptions that are not revoked, oldest first; with `through_groups`, also " +
			"those of the groups that the caller belongs to, directly or through groups in groups.",
		Responses: problems(),
	}, s.listSubscriptions)
	handle(s, routes, huma.Operation{
		OperationID: "unsubscribe", Method: http.MethodDelete, Path: "/subscriptions/{id}",
		Tags:    []string{"Subscriptions"},
		Summary: "Revoke a subscription",
		Description: "Revokes a subscription of the caller, or of a group to a resource whose owner or delegator " +
			"the caller is. That is recorded as `subscription.revoked`. Revoking it again changes nothing.",
		Responses: problems(http.StatusNotFound),
	}, s.unsubscribe)
	s.addBulkSubscriptions(routes)
}

// Subscription is a principal's request to be notified of a resource.
type Subscription struct {
	ID          uuid.UUID  `json:"id" format:"uuid"`
	TenantID    uuid.UUID  `json:"tenant_id" format:"uuid"`
	PrincipalID uuid.UUID  `json:"principal_id" format:"uuid" doc:"The subscriber: the caller, or a group."`
	GroupID     *uuid.UUID `json:"group_id" format:"uuid" nullable:"true" doc:"The group; null for the caller's own."`
	ResourceID  uuid.UUID  `json:"resource_id" format:"uuid"`
	Scope       string     `json:"scope" enum:"resource,descendants"`
	CreatedAt   time.Time  `json:"created_at"`
}

func subscriptionOf(caller identity.Identity, s subscriptions.Subscription) Subscription {
	shown := Subscription{
		ID:          s.ID,
		TenantID:    s.TenantID,
		PrincipalID: s.PrincipalID,
		ResourceID:  s.ResourceID,
		Scope:       s.Scope,
		CreatedAt:   s.CreatedAt.UTC(),
	}
	if s.PrincipalID != caller.PrincipalID {
		shown.GroupID = &s.PrincipalID
	}
	return shown
}

// SubscribeRequest selects a resource to subscribe to.
type SubscribeRequest struct {
	ResourceID  ID     `json:"resource_id" required:"true"`
	Scope       string `json:"scope,omitempty" enum:"resource,descendants" default:"resource"`
	PrincipalID ID     `json:"principal_id,omitempty" doc:"A group to subscribe instead of the caller."`
}

func (r SubscribeRequest) request() subscriptions.SubscribeRequest {
	return subscriptions.SubscribeRequest{
		ResourceID: r.ResourceID.UUID, Scope: r.Scope, GroupID: r.PrincipalID.UUID,
	}
}

type subscriptionResponse struct{ Body Subscription }

func callerOf(ctx context.Context, caller identity.Identity) subscriptionlog.Caller {
	return subscriptionlog.Caller{Principal: caller.Principal, UserAgent: requestInfoOf(ctx).userAgent}
}

func (s *Server) subscribe(
	ctx context.Context,
	caller identity.Identity,
	in *struct{ Body SubscribeRequest },
) (*subscriptionResponse, error) {
	subscription, _, err := subscriptionlog.Subscribe(ctx, s.pool, callerOf(ctx, caller), in.Body.request())
	if err != nil {
		return nil, err
	}
	return &subscriptionResponse{subscriptionOf(caller, subscription)}, nil
}

func (s *Server) unsubscribe(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The subscription's id."`
},
) (*struct{}, error) {
	_, err := subscriptionlog.Unsubscribe(ctx, s.pool, callerOf(ctx, caller), in.ID.UUID)
	return nil, err
}

type subscriptionsResponse struct {
	Body struct {
		Items      []Subscription `json:"items" nullable:"false" doc:"Oldest first."`
		NextCursor *string        `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"SubscriptionPage"`
}

func (s *Server) listSubscriptions(
	ctx context.Context,
	caller identity.Identity,
	in *struct {
		PageQuery
		ThroughGroups bool `query:"through_groups" doc:"Also list the subscriptions of the caller's groups."`
	},
) (*subscriptionsResponse, error) {
	response := &subscriptionsResponse{}
	list := ownList[subscriptions.Subscription, Subscription]{
		read:   subscriptions.List,
		show:   func(s subscriptions.Subscription) Subscription { return subscriptionOf(caller, s) },
		filter: in.ThroughGroups,
	}
	if in.ThroughGroups {
		list.read = subscriptions.ListThroughGroups
	}
	items, cursor, err := listOwn(ctx, s, caller, in.PageQuery, list)
	response.Body.Items, response.Body.NextCursor = items, cursor
	return response, err
}
