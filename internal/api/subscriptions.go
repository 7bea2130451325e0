package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func (s *Server) addSubscriptions(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "subscribe", Method: http.MethodPost, Path: "/subscriptions",
		Tags: []string{"Subscriptions"}, DefaultStatus: http.StatusCreated,
		Summary: "Subscribe to a resource",
		Description: "Requires a role on the resource or on one of its ancestors, or ownership. Returns the existing " +
			"subscription if there is one; a new one is recorded as `subscription.created`.",
		Responses: problems(http.StatusNotFound, http.StatusUnsupportedMediaType),
	}, s.subscribe)
	handle(s, routes, huma.Operation{
		OperationID: "list-subscriptions", Method: http.MethodGet, Path: "/subscriptions",
		Tags:        []string{"Subscriptions"},
		Summary:     "List subscriptions",
		Description: "The caller's subscriptions that are not revoked, oldest first.",
		Responses:   problems(),
	}, s.listSubscriptions)
	handle(s, routes, huma.Operation{
		OperationID: "unsubscribe", Method: http.MethodDelete, Path: "/subscriptions/{id}",
		Tags:    []string{"Subscriptions"},
		Summary: "Revoke a subscription",
		Description: "Revokes a subscription of the caller, which is recorded as `subscription.revoked`. Revoking it " +
			"again changes nothing.",
		Responses: problems(http.StatusNotFound),
	}, s.unsubscribe)
	s.addBulkSubscriptions(routes)
}

// Subscription is a principal's request to be notified of a resource.
type Subscription struct {
	ID          uuid.UUID `json:"id" format:"uuid"`
	TenantID    uuid.UUID `json:"tenant_id" format:"uuid"`
	PrincipalID uuid.UUID `json:"principal_id" format:"uuid"`
	ResourceID  uuid.UUID `json:"resource_id" format:"uuid"`
	Scope       string    `json:"scope" enum:"resource,descendants"`
	CreatedAt   time.Time `json:"created_at"`
}

func subscriptionOf(s subscriptions.Subscription) Subscription {
	return Subscription{
		ID:          s.ID,
		TenantID:    s.TenantID,
		PrincipalID: s.PrincipalID,
		ResourceID:  s.ResourceID,
		Scope:       s.Scope,
		CreatedAt:   s.CreatedAt.UTC(),
	}
}

// SubscribeRequest selects a resource to subscribe to.
type SubscribeRequest struct {
	ResourceID ID     `json:"resource_id" required:"true"`
	Scope      string `json:"scope,omitempty" enum:"resource,descendants" default:"resource"`
}

type subscriptionResponse struct{ Body Subscription }

// errNothingToRecord rolls back the transaction of a subscription that already exists or is already
// revoked.
var errNothingToRecord = errors.New("nothing to record")

func (s *Server) subscribe(
	ctx context.Context,
	caller identity.Identity,
	in *struct{ Body SubscribeRequest },
) (*subscriptionResponse, error) {
	request := subscriptions.SubscribeRequest{ResourceID: in.Body.ResourceID.UUID, Scope: in.Body.Scope}
	var subscription subscriptions.Subscription
	_, _, err := outbox.TxActivity(
		ctx,
		s.pool,
		activity.Envelope{},
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (struct{}, error) {
			var created bool
			var err error
			if subscription, created, err = subscriptions.Subscribe(ctx, tx, caller.Principal, request); err != nil {
				return struct{}{}, err
			}
			if !created {
				return struct{}{}, errNothingToRecord
			}
			types, err := directory.ResourceTypes(ctx, tx, caller.TenantID, []uuid.UUID{subscription.ResourceID})
			*e = subscriptionCreated(ctx, caller, subscription, types)
			return struct{}{}, err
		},
	)
	if err != nil && !errors.Is(err, errNothingToRecord) {
		return nil, err
	}
	return &subscriptionResponse{subscriptionOf(subscription)}, nil
}

func (s *Server) unsubscribe(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The subscription's id."`
},
) (*struct{}, error) {
	_, _, err := outbox.TxActivity(
		ctx,
		s.pool,
		activity.Envelope{},
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (struct{}, error) {
			subscription, revoked, err := subscriptions.Unsubscribe(ctx, tx, caller.Principal, in.ID.UUID)
			if err != nil {
				return struct{}{}, err
			}
			if !revoked {
				return struct{}{}, errNothingToRecord
			}
			types, err := directory.ResourceTypes(ctx, tx, caller.TenantID, []uuid.UUID{subscription.ResourceID})
			*e = subscriptionRevoked(ctx, caller, subscription, types)
			return struct{}{}, err
		},
	)
	if errors.Is(err, errNothingToRecord) {
		return nil, nil
	}
	return nil, err
}

// unknownType is the type of a resource that the directory does not contain.
const unknownType = "resource"

func subscriptionCreated(
	ctx context.Context,
	caller identity.Identity,
	s subscriptions.Subscription,
	types map[uuid.UUID]string,
) activity.Envelope {
	e := builtin.SubscriptionCreated{SubscriptionID: s.ID, Scope: s.Scope}.On(caller.TenantID, s.ResourceID)
	return completeEnvelope(ctx, caller, e, s, types)
}

func subscriptionRevoked(
	ctx context.Context,
	caller identity.Identity,
	s subscriptions.Subscription,
	types map[uuid.UUID]string,
) activity.Envelope {
	e := builtin.SubscriptionRevoked{SubscriptionID: s.ID, Scope: s.Scope}.On(caller.TenantID, s.ResourceID)
	return completeEnvelope(ctx, caller, e, s, types)
}

// completeEnvelope completes the envelope of an activity about a subscription. The subscription's
// id is the correlation id of its creation and its revocation.
func completeEnvelope(
	ctx context.Context,
	caller identity.Identity,
	e activity.Envelope,
	s subscriptions.Subscription,
	types map[uuid.UUID]string,
) activity.Envelope {
	e.ActorPrincipalID, e.UserAgent = caller.PrincipalID, requestInfoOf(ctx).userAgent
	e.Visibility, e.Category = activity.Private, "subscription"
	e.CorrelationID, e.ResourceType = s.ID, cmp.Or(types[s.ResourceID], unknownType)
	return e
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
	in *struct{ PageQuery },
) (*subscriptionsResponse, error) {
	after, err := s.after(ctx, in.PageQuery, nil)
	if err != nil {
		return nil, err
	}
	page := subscriptions.Page{Limit: in.Limit, After: after}
	list, next, err := subscriptions.List(ctx, s.pool, caller.Principal, page)
	if err != nil {
		return nil, err
	}
	response := &subscriptionsResponse{}
	response.Body.Items = make([]Subscription, len(list))
	for i, subscription := range list {
		response.Body.Items[i] = subscriptionOf(subscription)
	}
	response.Body.NextCursor, err = s.nextCursor(ctx, next, nil)
	return response, err
}
