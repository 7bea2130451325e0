package api

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
	maxUserAgent    = 500
)

// identifyRequests assigns an id to every request, the client's own if it is valid, and returns it
// in the response.
func identifyRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !validRequestID(id) {
			id = uuid.Must(uuid.NewV7()).String()
		}
		w.Header().Set(requestIDHeader, id)
		info := &requestInfo{requestID: id, userAgent: printable(r.UserAgent(), maxUserAgent)}
		next.ServeHTTP(w, r.WithContext(activity.WithRequestID(withRequestInfo(r.Context(), info), id)))
	})
}

// validRequestID reports whether an id is safe in a header, a log and a URL.
func validRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.:+/=@~", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// printable returns at most limit bytes of a header, without control characters and invalid UTF-8.
func printable(text string, limit int) string {
	text = strings.ToValidUTF8(text[:min(len(text), limit)], "")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return -1
		}
		return r
	}, text)
}
