package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// The rate of the requests of one peer to /session. Codes cannot be guessed; the limit protects the
// database. Behind a proxy, all clients are one peer.
const (
	signInsPerSecond = 5
	signInsAtOnce    = 50
)

func (s *Server) addSignIn(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "begin-session", Method: http.MethodPost, Path: "/session",
		Tags: []string{"Session"}, Security: public(),
		Summary: "Begin a session",
		Description: "Exchanges the code of a one-time link, which fanfare console link prints, for a cookie that " +
			"authenticates requests from pages of the API's own origin. A code works once, within 5 minutes.",
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.beginSession)
	ended := problems()
	delete(ended, fmt.Sprint(http.StatusUnauthorized)) // also a session that has ended is ended
	handle(s, routes, huma.Operation{
		OperationID: "end-session", Method: http.MethodDelete, Path: "/session",
		Tags: []string{"Session"}, Security: public(),
		Summary: "End the session",
		Description: "Revokes the session of the request's cookie and removes the cookie. Without a session it " +
			"changes nothing.",
		Responses: ended,
	}, s.endSession)
}

// limitSignIns returns the limiter of the requests without a caller.
func (s *Server) limitSignIns() (*limiter[netip.Prefix], error) {
	return newLimiter[netip.Prefix](
		min(signInsPerSecond, s.limits.PerSecond), min(signInsAtOnce, s.limits.Burst), s.now)
}

// peerOf returns the network of a request's peer: its address, or the 64 bits of an IPv6 address
// that all addresses of one host may share.
func peerOf(r *http.Request) netip.Prefix {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := peer.Addr().Unmap(), 32
	if addr.Is6() {
		addr, bits = addr.WithZone(""), 64
	}
	network, _ := addr.Prefix(bits) // never fails, since the bits are those of an address
	return network
}

type sessionResponse struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) beginSession(ctx context.Context, _ identity.Identity, in *struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"100" doc:"The code of the link."`
	} `nameHint:"SignIn"`
},
) (*sessionResponse, error) {
	r, err := s.sessionRequest(ctx)
	if err != nil {
		return nil, err
	}
	text, session, err := s.sessions.Begin(ctx, in.Body.Code, directory.IsActive)
	switch refused := (*identity.Refused)(nil); {
	case errors.As(err, &refused):
		return nil, s.unauthenticated(requestInfoOf(ctx), refused)
	case errors.Is(err, identity.ErrNotPermitted):
		return nil, newProblem(Inactive)
	case err != nil:
		return nil, err
	}
	_ = s.sessions.End(r) // of the cookie that is replaced; it ends anyway
	return &sessionResponse{*s.sessions.Cookie(r, text, session.ExpiresAt)}, nil
}

func (s *Server) endSession(ctx context.Context, _ identity.Identity, _ *struct{}) (*sessionResponse, error) {
	r, err := s.sessionRequest(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.sessions.End(r.WithContext(ctx)); err != nil {
		if refused := (*identity.Refused)(nil); errors.As(err, &refused) {
			return nil, s.unauthenticated(requestInfoOf(ctx), refused)
		}
		return nil, err
	}
	return &sessionResponse{*s.sessions.Expired(r)}, nil
}

// sessionRequest returns the request, which may change the session of its browser.
func (s *Server) sessionRequest(ctx context.Context) (*http.Request, error) {
	r := requestInfoOf(ctx).request
	switch {
	case s.sessions == nil:
		return nil, newProblem(Unavailable).withDetail("This server has no sessions: the console is disabled.")
	case identity.IsCrossOrigin(r):
		return nil, newProblem(CrossSite)
	}
	return r.WithContext(ctx), nil
}
