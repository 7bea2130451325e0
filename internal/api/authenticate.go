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
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Authenticator identifies the caller of a request. *identity.Authenticator implements it and
// defines the errors.
type Authenticator interface {
	Authenticate(r *http.Request) (identity.Identity, error)
}

// The security schemes of the OpenAPI document. The scopes of a route in tokenScheme are those that
// authenticate requires.
const (
	tokenScheme     = "token"
	tenantScheme    = "gatewayTenant"
	principalScheme = "gatewayPrincipal"
	sessionScheme   = "session"
)

// requireScope returns the security requirements of a route that requires a scope; "" requires
// none.
func requireScope(scope string) []map[string][]string {
	scopes := []string{}
	if scope != "" {
		scopes = append(scopes, scope)
	}
	return []map[string][]string{
		{tokenScheme: scopes}, {tenantScheme: scopes, principalScheme: scopes}, {sessionScheme: scopes},
	}
}

// public returns the security requirements of a route that requires no caller.
func public() []map[string][]string { return []map[string][]string{{}} }

func isPublic(op *huma.Operation) bool { return len(op.Security[0]) == 0 }

// authenticate identifies the caller and rejects a caller without the scopes of the route.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	if isPublic(ctx.Operation()) {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	info := requestInfoOf(r.Context())
	bounded, cancel := context.WithTimeout(r.Context(), s.limits.Query)
	caller, problem := s.identify(r.WithContext(bounded), ctx.Operation().Security[0][tokenScheme])
	cancel()
	if problem != nil {
		problem.write(w, info.requestID)
		return
	}
	info.caller = caller
	next(huma.WithContext(ctx, activity.WithActor(ctx.Context(), caller.PrincipalID)))
}

// identify returns the caller of a request, or the problem of a caller without the scopes.
func (s *Server) identify(r *http.Request, scopes []string) (identity.Identity, *Problem) {
	caller, err := pg.RetryStale(s.pool, func() (identity.Identity, error) {
		return s.authenticator.Authenticate(r)
	})
	if err == nil && (caller.TenantID == uuid.Nil || caller.PrincipalID == uuid.Nil) {
		err = &identity.Refused{Reason: identity.ReasonMissing}
	}
	if errors.Is(r.Context().Err(), context.Canceled) {
		return identity.Identity{}, newProblem(Unavailable) // the client has disconnected
	}
	if err != nil {
		return identity.Identity{}, s.unauthenticated(requestInfoOf(r.Context()), err)
	}
	for _, scope := range scopes {
		if !caller.Scopes.Has(scope) {
			return identity.Identity{}, newProblem(InsufficientScope).
				withDetail("This route requires the scope "+scope+".").
				withHeader("WWW-Authenticate", identity.InsufficientScope(scope))
		}
	}
	return caller, nil
}

// refuseInactive refuses a caller that the directory marks inactive, whatever its scopes are.
func (s *Server) refuseInactive(ctx huma.Context, next func(huma.Context)) {
	if isPublic(ctx.Operation()) {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	info := requestInfoOf(r.Context())
	bounded, cancel := context.WithTimeout(r.Context(), s.limits.Query)
	active, err := s.isActive(bounded, info.caller.Principal)
	cancel()
	switch {
	case err != nil:
		s.problem(r.Context(), err).write(w, info.requestID)
	case !active:
		newProblem(Inactive).write(w, info.requestID)
	default:
		next(ctx)
	}
}

func (s *Server) isActive(ctx context.Context, principal activity.Principal) (bool, error) {
	return pg.RetryStale(s.pool, func() (bool, error) { return directory.IsActive(ctx, s.pool, principal) })
}

// unauthenticated returns the problem of a failed authentication.
func (s *Server) unauthenticated(info *requestInfo, err error) *Problem {
	var rejected *identity.Refused
	if !errors.As(err, &rejected) {
		s.log.Error("credentials could not be checked", zap.String("request_id", info.requestID), zap.Error(err))
		return newProblem(Unavailable).withHeader("Retry-After", "1")
	}
	kind := Unauthenticated
	switch rejected.Status() {
	case http.StatusForbidden:
		return newProblem(CrossSite)
	case http.StatusBadRequest:
		kind = Malformed
	}
	return newProblem(
		kind,
	).withDetail("The credentials were rejected: "+rejected.Error()+".").
		withHeader("WWW-Authenticate", rejected.Challenge())
}
