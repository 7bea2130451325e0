package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

func (s *Server) addMe(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "get-me", Method: http.MethodGet, Path: "/me",
		Tags:    []string{"Session"},
		Summary: "Get the caller",
		Description: "The principal that the request is made for, as the directory describes it, and what its " +
			"credential permits.",
		Responses: problems(),
	}, s.me)
}

// The kinds of credentials.
const (
	CredentialJWT          = "jwt"
	CredentialServiceToken = "service_token"
	CredentialGateway      = "gateway"
	CredentialSession      = "session"
)

// credentials are the kinds of credentials by how package identity names them.
var credentials = map[string]string{
	identity.ViaJWT:     CredentialJWT,
	identity.ViaToken:   CredentialServiceToken,
	identity.ViaGateway: CredentialGateway,
	identity.ViaSession: CredentialSession,
}

type meResponse struct {
	Body struct {
		TenantID    uuid.UUID  `json:"tenant_id" format:"uuid"`
		PrincipalID uuid.UUID  `json:"principal_id" format:"uuid"`
		Kind        string     `json:"kind" doc:"Empty if the directory does not contain the principal."`
		DisplayName string     `json:"display_name" doc:"Empty if the directory has none."`
		Scopes      []string   `json:"scopes" nullable:"false" doc:"The scopes of Fanfare that the credential has."`
		Credential  string     `json:"credential" enum:"jwt,service_token,gateway,session"`
		ExpiresAt   *time.Time `json:"expires_at" nullable:"true" doc:"When the credential expires, if that is known."`
		RealtimeURL string     `json:"realtime_url" doc:"The WebSocket URL of Centrifugo to connect to."`
	} `nameHint:"Me"`
}

func (s *Server) me(ctx context.Context, caller identity.Identity, _ *struct{}) (*meResponse, error) {
	named, err := directory.NameActors(ctx, s.reads(ctx), []activity.Principal{caller.Principal})
	if err != nil {
		return nil, err
	}
	entry, response := named[caller.Principal], &meResponse{}
	b := &response.Body
	b.TenantID, b.PrincipalID = caller.TenantID, caller.PrincipalID
	b.Kind, b.DisplayName = entry.Kind, entry.DisplayName
	b.Scopes = append([]string{}, caller.Scopes...)
	b.Credential, b.RealtimeURL = credentials[caller.Via], s.realtimeURL
	if !caller.Expires.IsZero() {
		expires := caller.Expires.UTC()
		b.ExpiresAt = &expires
	}
	return response, nil
}
