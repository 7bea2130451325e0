package identity

import (
	"net/http"
	"strings"
)

// maxTokenBytes is the maximum size of a bearer token. It is sufficient for JWTs with long lists of
// groups.
const maxTokenBytes = 16 << 10

// bearer returns the token of the header Authorization (RFC 6750, section 2.1), or "" if there is
// no header or its scheme is not Bearer.
func bearer(h http.Header) (string, error) {
	values := h["Authorization"]
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", refuse(ReasonRequest)
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	token = strings.Trim(token, " ")
	switch {
	case len(token) > maxTokenBytes:
		return "", refuse(ReasonTooLong)
	case !isB64token(token):
		return "", refuse(ReasonMalformed)
	}
	return token, nil
}

// isB64token reports whether s is a b64token of RFC 6750: letters, digits and -._~+/ with optional
// "=" at the end.
func isB64token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
