package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// readBody takes the body in, before anything is made of it, and refuses one that is too large, of
// another media type, not strictly JSON, or not asked for.
func (s *Server) readBody(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	body, err := s.body(w, r, ctx.Operation().RequestBody != nil)
	if err != nil {
		s.problem(r.Context(), err).write(w, exchangeOf(r.Context()).requestID)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	next(ctx)
}

func (s *Server) body(w http.ResponseWriter, r *http.Request, wanted bool) ([]byte, error) {
	if r.ContentLength > s.limits.BodyBytes {
		return nil, newProblem(TooLarge)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.limits.BodyBytes))
	if err != nil {
		return nil, bodyProblem(err)
	}
	if len(body) == 0 {
		return nil, nil
	}
	if !wanted {
		// Some clients send an empty object where there is nothing to say.
		if string(bytes.TrimSpace(body)) == "{}" {
			return nil, nil
		}
		return nil, refuse(InvalidField, "body", "must not be given on this route")
	}
	if !isJSON(r.Header) {
		return nil, newProblem(WrongMediaType)
	}
	return body, checkJSON(body)
}

func bodyProblem(err error) *Problem {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return newProblem(TooLarge)
	}
	if slow := net.Error(nil); errors.As(err, &slow) && slow.Timeout() {
		return newProblem(SlowRequest).with("Connection", "close")
	}
	return refuse(Malformed, "body", "must arrive whole")
}

// isJSON tells whether a body is said to be JSON, in UTF-8, as it is.
func isJSON(h http.Header) bool {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return false
	}
	charset, said := params["charset"]
	return !said || strings.EqualFold(charset, "utf-8")
}
