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
)

// readBody reads the body of a request. It returns a *Problem if the body is larger than limit, too
// slow, of another media type, missing or unexpected. of describes the expected body; nil
// expects none.
func readBody(w http.ResponseWriter, r *http.Request, of *huma.RequestBody, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, newProblem(BodyTooLarge)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	switch {
	case err != nil:
		return nil, bodyProblem(err)
	case len(body) == 0 && of != nil && of.Required:
		return nil, fieldProblem(Malformed, "body", "is required")
	case len(body) == 0:
		return nil, nil
	case of == nil && string(bytes.TrimSpace(body)) == "{}":
		return nil, nil // some clients send an empty object with every POST
	case of == nil:
		return nil, fieldProblem(InvalidField, "body", "is not accepted by this route")
	case !isJSON(r.Header):
		return nil, newProblem(UnsupportedMediaType)
	}
	return body, nil
}

func bodyProblem(err error) *Problem {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return newProblem(BodyTooLarge)
	}
	if slow := net.Error(nil); errors.As(err, &slow) && slow.Timeout() {
		return newProblem(RequestTimeout).withHeader("Connection", "close")
	}
	return fieldProblem(Malformed, "body", "must be complete")
}

// isJSON reports whether the headers declare a body of JSON in UTF-8 without a content coding.
func isJSON(h http.Header) bool {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return false
	}
	charset, declared := params["charset"]
	return !declared || strings.EqualFold(charset, "utf-8")
}
