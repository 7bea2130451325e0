package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// Authenticator tells who sends a request. *identity.Authenticator is one, and says what its errors
// mean.
type Authenticator interface {
	Authenticate(r *http.Request) (identity.Identity, error)
}

// The security schemes of the OpenAPI document. What a route asks for in tokenScheme is what
// authenticate demands of it.
const (
	tokenScheme     = "token"
	tenantScheme    = "gatewayTenant"
	principalScheme = "gatewayPrincipal"
)

// needs is the security of a route that only scope opens; with "", one that any principal may use.
func needs(scope string) []map[string][]string {
	scopes := []string{}
	if scope != "" {
		scopes = append(scopes, scope)
	}
	return []map[string][]string{{tokenScheme: scopes}, {tenantScheme: scopes, principalScheme: scopes}}
}

// authenticate finds out who sends a request, and refuses who lacks a scope of the route.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	info := requestInfoOf(r.Context())
	bounded, cancel := context.WithTimeout(r.Context(), s.limits.Query)
	caller, err := s.authenticator.Authenticate(r.WithContext(bounded))
	cancel()
	if err == nil && (caller.TenantID == uuid.Nil || caller.PrincipalID == uuid.Nil) {
		err = &identity.Refused{Reason: identity.ReasonMissing}
	}
	if err != nil {
		s.unauthenticated(info, err).write(w, info.requestID)
		return
	}
	info.caller = caller
	for _, scope := range ctx.Operation().Security[0][tokenScheme] {
		if !caller.Scopes.Has(scope) {
			newProblem(InsufficientScope).withDetail("This route needs the scope "+scope+".").
				withHeader("WWW-Authenticate", identity.InsufficientScope(scope)).write(w, info.requestID)
			return
		}
	}
	next(huma.WithContext(ctx, activity.WithActor(ctx.Context(), caller.PrincipalID)))
}

func (s *Server) unauthenticated(info *requestInfo, err error) *Problem {
	var refused *identity.Refused
	if !errors.As(err, &refused) {
		s.log.Error("credentials cannot be checked", zap.String("request_id", info.requestID), zap.Error(err))
		return newProblem(Unavailable).withHeader("Retry-After", "1")
	}
	kind := Unauthenticated
	if refused.Status() == http.StatusBadRequest {
		kind = Malformed
	}
	return newProblem(
		kind,
	).withDetail("The credentials were refused: "+refused.Error()+".").
		withHeader("WWW-Authenticate", refused.Challenge())
}
