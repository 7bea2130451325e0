package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// Router serves the API of several databases, each by a Server of its own, at one address. It reads
// which tenant a request claims, and verifies nothing: the server that it selects does, and refuses
// the tenants that are not in its database.
type Router struct {
	// Claimed returns the tenant that the credential of a request names, or uuid.Nil;
	// [identity.Authenticator.ClaimedTenant] does.
	Claimed func(r *http.Request) uuid.UUID
	// Of returns the server of a tenant, or nil if it has none here. It may wait, until ctx ends.
	Of func(ctx context.Context, tenant uuid.UUID) *Server
	// Any returns a server for requests without a tenant that has one. It may wait, until ctx ends.
	Any func(ctx context.Context) *Server

	Servers     []*Server // all that Of and Any return
	Connections int       // maximum number of open connections
	Logger      *zap.Logger
}

// Run serves requests as [Server.Run] does.
func (rt *Router) Run(ctx context.Context, listener net.Listener) error {
	if err := serve(ctx, listener, rt, rt.Connections, rt.Logger); err != nil {
		return err
	}
	for _, s := range rt.Servers {
		s.announcer.close()
	}
	return nil
}

// ServeHTTP passes a request to the server of its tenant.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var selected *Server
	if tenant := rt.tenantOf(r); tenant != uuid.Nil {
		selected = rt.Of(r.Context(), tenant)
	}
	if selected == nil {
		selected = rt.Any(r.Context())
	}
	if r.Method == http.MethodPost && r.URL.Path == signInPath {
		rt.signIn(selected, w, r)
		return
	}
	selected.handler.ServeHTTP(w, r)
}

// signIn begins a session, and ends the one that it replaces in the browser if that is of another
// server.
func (rt *Router) signIn(selected *Server, w http.ResponseWriter, r *http.Request) {
	response := &statusRecorder{ResponseWriter: w}
	selected.handler.ServeHTTP(response, r)
	replaced := rt.Claimed(r)
	if response.status != http.StatusNoContent || replaced == uuid.Nil {
		return
	}
	if other := rt.Of(r.Context(), replaced); other != nil && other != selected {
		ctx, cancel := context.WithTimeout(r.Context(), other.limits.Query)
		defer cancel()
		if err := other.sessions.End(r.WithContext(ctx)); err != nil {
			rt.Logger.Warn("a session of another cell was replaced and could not be ended; it ends when it expires",
				zap.Error(err))
		}
	}
}

// The paths of the requests whose tenant is in their body.
const (
	signInPath  = prefix + "/session"
	refreshPath = prefix + "/realtime/refresh"
)

// tenantOf returns the tenant that a request claims, or uuid.Nil.
func (rt *Router) tenantOf(r *http.Request) uuid.UUID {
	if r.Method == http.MethodPost {
		switch r.URL.Path {
		case signInPath:
			return tenantOfSignIn(r)
		case refreshPath:
			return tenantOfRefresh(r)
		}
	}
	return rt.Claimed(r)
}

// tenantOfSignIn returns the tenant of the code in a request to begin a session.
func tenantOfSignIn(r *http.Request) uuid.UUID {
	var body struct {
		Code string `json:"code"`
	}
	if !peek(r, &body) {
		return uuid.Nil
	}
	tenant, _ := identity.TenantOfCode(body.Code)
	return tenant
}

// tenantOfRefresh returns the tenant of the user of whom Centrifugo asks: <tenant>.<principal>.
func tenantOfRefresh(r *http.Request) uuid.UUID {
	var question struct {
		User string `json:"user"`
	}
	if !peek(r, &question) {
		return uuid.Nil
	}
	text, _, _ := strings.Cut(question.User, ".")
	tenant, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil
	}
	return tenant
}

// peek decodes the body of a request, of at most maxRefreshBytes, and leaves the body to be read
// again. It reports whether the body could be decoded.
func peek(r *http.Request, into any) bool {
	start, err := io.ReadAll(io.LimitReader(r.Body, maxRefreshBytes))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), r.Body), r.Body}
	return err == nil && json.Unmarshal(start, into) == nil
}
