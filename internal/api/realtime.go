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

// Channels returns the names of Centrifugo's channels. *centrifugo.Channels implements it.
type Channels interface {
	User(p activity.Principal) string
	Resource(tenant, resource uuid.UUID) string
	Tenant(tenant uuid.UUID) string
	CheckLiteral(name string, tenant uuid.UUID) error
	Includes(name string) bool
}

// Tokens issues the tokens of Centrifugo's clients. *centrifugo.Tokens implements it.
type Tokens interface {
	Connection(p activity.Principal) (token string, expires time.Time)
	Subscription(p activity.Principal, channel string) (token string, expires time.Time)
	// Connected returns the principal of a connection that was made with one of these tokens.
	Connected(user string, meta []byte) (activity.Principal, bool)
	// SubscriptionExpiry returns when a subscription that is permitted now expires.
	SubscriptionExpiry() time.Time
}

func (s *Server) addRealtime(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "make-realtime-tokens", Method: http.MethodPost, Path: "/realtime/token",
		Tags:    []string{"Realtime"},
		Summary: "Issue tokens for Centrifugo",
		Description: "Issues a connection token and a token for each channel, or none if one channel is denied. No " +
			"channels are needed for a connection token. The channel of a resource requires a role on it or on one " +
			"of its ancestors, or ownership; the channel " +
			"of the tenant requires the scope activity:read; the caller's own channel needs no token. Tokens " +
			"are short-lived; repeat the request to refresh them.",
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.makeTokens)
	handle(s, routes, huma.Operation{
		OperationID: "bootstrap-realtime", Method: http.MethodGet, Path: "/realtime/bootstrap",
		Tags:    []string{"Realtime"},
		Summary: "Get a client's channels and tokens",
		Description: "The caller's own channel, to which Centrifugo subscribes the connection, and, with tokens, the " +
			"channels of the first 127 resources that the caller has subscribed to and may see. Centrifugo's " +
			"default limit is 128 channels for a connection.",
		Responses: problems(),
	}, s.bootstrap)
}

// RealtimeTokens are the tokens of a client of Centrifugo.
type RealtimeTokens struct {
	ConnectionToken    string            `json:"connection_token"`
	SubscriptionTokens map[string]string `json:"subscription_tokens" doc:"By channel."`
	ExpiresAt          time.Time         `json:"expires_at" doc:"When the first of the tokens expires."`
}

// tokensFor issues the tokens for channels that the caller is permitted to subscribe to.
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
		Channels []string `json:"channels,omitempty" nullable:"false" maxItems:"128" maxLength:"255"`
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

// denied returns the channels that the caller is not permitted to subscribe to, in their order.
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
	if err := s.allowResources(ctx, caller.Principal, resources, allowed); err != nil {
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

// allowResources sets allowed for the channels of resources that the caller may see with the
// visibility resource, because activities with a narrower visibility are not published there.
func (s *Server) allowResources(
	ctx context.Context,
	principal activity.Principal,
	resources map[string]uuid.UUID,
	allowed map[string]bool,
) error {
	names, queries := make([]string, 0, len(resources)), make([]directory.AccessQuery, 0, len(resources))
	for channel, resource := range resources {
		names = append(names, channel)
		queries = append(queries, directory.AccessQuery{ResourceID: resource, Visibility: activity.ResourceWide})
	}
	visible, err := directory.CanView(ctx, s.pool, principal, queries)
	if err != nil {
		return err
	}
	for i, channel := range names {
		allowed[channel] = visible[i]
	}
	return nil
}

// resourceOfChannel returns the resource of a channel in the tenant, if it is a resource's channel.
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
		URL                   string    `json:"url" doc:"The WebSocket URL of Centrifugo to connect to."`
		TenantID              uuid.UUID `json:"tenant_id" format:"uuid"`
		PrincipalID           uuid.UUID `json:"principal_id" format:"uuid"`
		InboxChannel          string    `json:"inbox_channel" doc:"The caller's own channel."`
		ResourceSubscriptions []string  `json:"resource_subscriptions" nullable:"false" doc:"Channels of resources."`
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
	if err := s.allowResources(ctx, caller.Principal, resources, allowed); err != nil {
		return nil, err
	}
	response := &bootstrapResponse{}
	b := &response.Body
	b.URL = s.realtimeURL
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

// maxBootstrap is the maximum number of channels besides the caller's own: Centrifugo's default for
// client_channel_limit is 128.
const maxBootstrap = 127
