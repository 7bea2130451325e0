package api

import (
	"context"
	"net/http"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// Channels names Centrifugo's channels, as *centrifugo.Channels does.
type Channels interface {
	User(p activity.Principal) string
	Resource(tenant, resource uuid.UUID) string
	Tenant(tenant uuid.UUID) string
}

// Tokens makes the tokens by which clients reach Centrifugo, as *centrifugo.Tokens does.
type Tokens interface {
	Connection(p activity.Principal) (token string, expires time.Time)
	Subscription(p activity.Principal, channel string) (token string, expires time.Time)
}

func (s *Server) addRealtime(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "make-realtime-tokens", Method: http.MethodPost, Path: "/realtime/token",
		Tags:    []string{"Realtime"},
		Summary: "Get tokens for Centrifugo",
		Description: "A connection token, and one for each channel: all of them or none. A resource's channel is for who holds a role on the resource " +
			"or above it, or owns it; the tenant's is for who has the scope activity:read; the principal's own comes with the connection. " +
			"Tokens are short-lived; ask again to refresh them.",
		Responses: problems(http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType),
	}, s.makeTokens)
	handle(s, routes, huma.Operation{
		OperationID: "bootstrap-realtime", Method: http.MethodGet, Path: "/realtime/bootstrap",
		Tags:        []string{"Realtime"},
		Summary:     "Get what a client needs to connect",
		Description: "The principal's own channel, which comes with the connection, and the channels of the resources that it has subscribed to and may hear, with tokens: the first 127, as a connection takes no more.",
		Responses:   problems(),
	}, s.bootstrap)
}

// RealtimeTokens are the keys to Centrifugo.
type RealtimeTokens struct {
	ConnectionToken    string            `json:"connection_token"`
	SubscriptionTokens map[string]string `json:"subscription_tokens" doc:"By channel."`
	ExpiresAt          time.Time         `json:"expires_at" doc:"When the first of the tokens expires."`
}

// tokensFor makes the tokens for channels that the principal may hear.
func (s *Server) tokensFor(caller identity.Identity, channels []string) RealtimeTokens {
	var t RealtimeTokens
	t.ConnectionToken, t.ExpiresAt = s.tokens.Connection(caller.Principal)
	t.SubscriptionTokens = make(map[string]string, len(channels))
	for _, channel := range channels {
		token, expires := s.tokens.Subscription(caller.Principal, channel)
		t.SubscriptionTokens[channel] = token
		if expires.Before(t.ExpiresAt) {
			t.ExpiresAt = expires
		}
	}
	t.ExpiresAt = t.ExpiresAt.UTC()
	return t
}

type tokensResponse struct{ Body RealtimeTokens }

func (s *Server) makeTokens(ctx context.Context, caller identity.Identity, in *struct {
	Body struct {
		Channels []string `json:"channels" nullable:"false" maxItems:"128" maxLength:"255" example:"[\"resource:0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f.0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b\"]"`
	} `nameHint:"ChannelList"`
},
) (*tokensResponse, error) {
	denied, err := s.denied(ctx, caller, in.Body.Channels)
	if err != nil {
		return nil, err
	}
	if len(denied) > 0 {
		p := newProblem(DeniedChannels)
		p.Denied = denied
		return nil, p
	}
	return &tokensResponse{s.tokensFor(caller, in.Body.Channels)}, nil
}

// denied returns those of the channels that the principal may not hear, in their order.
func (s *Server) denied(ctx context.Context, caller identity.Identity, channels []string) ([]string, error) {
	allowed := map[string]bool{
		s.channels.User(caller.Principal):  true,
		s.channels.Tenant(caller.TenantID): caller.Scopes.Has(identity.ScopeRead),
	}
	resources := map[string]uuid.UUID{}
	for _, channel := range channels {
		if resource, ok := s.resourceOfChannel(caller.TenantID, channel); ok {
			resources[channel] = resource
		}
	}
	if err := s.hears(ctx, caller, resources, allowed); err != nil {
		return nil, err
	}
	var denied []string
	for _, channel := range channels {
		if !allowed[channel] {
			denied = append(denied, channel)
		}
	}
	return denied, nil
}

// hears notes which resources' channels the principal may hear: what is sent there is for those who
// hold a role on the resource or above it, who own it, or for more than those.
func (s *Server) hears(
	ctx context.Context,
	caller identity.Identity,
	resources map[string]uuid.UUID,
	allowed map[string]bool,
) error {
	names, queries := make([]string, 0, len(resources)), make([]directory.AccessQuery, 0, len(resources))
	for channel, resource := range resources {
		names = append(names, channel)
		queries = append(queries, directory.AccessQuery{ResourceID: resource, Visibility: activity.ResourceWide})
	}
	seen, err := directory.CanView(ctx, s.pool, caller.Principal, queries)
	if err != nil {
		return err
	}
	for i, channel := range names {
		allowed[channel] = seen[i]
	}
	return nil
}

// resourceOfChannel returns the resource whose channel in the tenant has this very name.
func (s *Server) resourceOfChannel(tenant uuid.UUID, channel string) (uuid.UUID, bool) {
	for _, text := range uuidText.FindAllString(channel, -1) {
		if id, err := uuid.Parse(text); err == nil && s.channels.Resource(tenant, id) == channel {
			return id, true
		}
	}
	return uuid.Nil, false
}

var uuidText = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

type bootstrapResponse struct {
	Body struct {
		TenantID              uuid.UUID `json:"tenant_id" format:"uuid"`
		PrincipalID           uuid.UUID `json:"principal_id" format:"uuid"`
		InboxChannel          string    `json:"inbox_channel" doc:"The principal's own channel. Centrifugo subscribes the connection to it by itself."`
		ResourceSubscriptions []string  `json:"resource_subscriptions" nullable:"false" doc:"The channels of the resources subscribed to, those that the principal may hear at this moment."`
		RealtimeTokens
	} `nameHint:"Bootstrap"`
}

func (s *Server) bootstrap(ctx context.Context, caller identity.Identity, _ *struct{}) (*bootstrapResponse, error) {
	list, _, err := subscriptions.List(ctx, s.pool, caller.Principal, subscriptions.Page{Limit: subscriptions.MaxPage})
	if err != nil {
		return nil, err
	}
	resources, allowed := map[string]uuid.UUID{}, map[string]bool{}
	var channels []string
	for _, subscription := range list {
		channel := s.channels.Resource(caller.TenantID, subscription.ResourceID)
		if _, known := resources[channel]; !known {
			channels = append(channels, channel)
		}
		resources[channel] = subscription.ResourceID
	}
	if err := s.hears(ctx, caller, resources, allowed); err != nil {
		return nil, err
	}
	response := &bootstrapResponse{}
	b := &response.Body
	b.TenantID, b.PrincipalID = caller.TenantID, caller.PrincipalID
	b.InboxChannel = s.channels.User(caller.Principal)
	b.ResourceSubscriptions = make([]string, 0, len(channels))
	for _, channel := range channels {
		if allowed[channel] && len(b.ResourceSubscriptions) < maxBootstrap {
			b.ResourceSubscriptions = append(b.ResourceSubscriptions, channel)
		}
	}
	b.RealtimeTokens = s.tokensFor(caller, b.ResourceSubscriptions)
	return response, nil
}

// maxBootstrap is how many channels a client may have beside its own: Centrifugo's default for
// client_channel_limit is 128.
const maxBootstrap = 127
