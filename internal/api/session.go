package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// session is the right of a caller to a response that lasts: a stream or an export. It ends with
// the credential of the request.
type session struct {
	server  *Server
	request *http.Request
	caller  identity.Identity
	scope   string // that the response requires
}

// newSession returns the session of a request, whose caller has the scope.
func (s *Server) newSession(r *http.Request, scope string) session {
	return session{server: s, request: r, caller: requestInfoOf(r.Context()).caller, scope: scope}
}

// bound limits ctx to a duration and to the validity of the credential.
func (s session) bound(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	end := s.server.now().Add(limit)
	cause := errLasted
	if at := s.caller.Expires; !at.IsZero() && at.Before(end) {
		end, cause = at, errExpired
	}
	return context.WithDeadlineCause(ctx, time.Now().Add(end.Sub(s.server.now())), cause)
}

// check authenticates the request again. Its error is errLasted if the tenant has moved to another
// database, and errRevoked if the credential was revoked, has
// expired or lacks the scope now, or if the caller is inactive. If that cannot be checked, because
// the database or the issuer's key set is unavailable, the session goes on.
func (s session) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.server.limits.Query)
	defer cancel()
	if !s.server.admits(s.caller.TenantID) {
		return errLasted
	}
	caller, problem := s.server.identify(s.request.WithContext(ctx), []string{s.scope})
	switch {
	case problem != nil && problem.Status >= http.StatusInternalServerError:
		return nil
	case problem != nil || caller.Principal != s.caller.Principal:
		return errRevoked
	}
	if active, err := s.server.isActive(ctx, caller.Principal); err == nil && !active {
		return errRevoked
	}
	return nil
}

// The reasons for which a session ends. Their texts are sent to clients.
var (
	errLasted  = errors.New("ended: reconnect with the id of the last event to continue")
	errExpired = errors.New("expired: the credential of the request is no longer valid")
	errRevoked = errors.New("revoked: the credential of the request, or its scope, has been withdrawn")
)
