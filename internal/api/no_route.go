package api

import (
	"net/http"
	"path"
	"strings"
)

// noRoute responds where no route matches: with 404, with 405 and the supported methods, or with
// those methods to OPTIONS.
func noRoute(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestInfoOf(r.Context()).requestID
		allowed := methodsAt(mux, r)
		switch {
		case len(allowed) == 0:
			newProblem(NotFound).write(w, id)
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			w.WriteHeader(http.StatusNoContent)
		default:
			newProblem(MethodNotAllowed).withHeader("Allow", strings.Join(allowed, ", ")).write(w, id)
		}
	})
}

// methodsAt returns the methods that have a route at the path of a request.
func methodsAt(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		if _, pattern := mux.Handler(&http.Request{Method: method, Host: r.Host, URL: r.URL}); pattern != "" &&
			pattern != noRoutePattern {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		allowed = append(allowed, http.MethodOptions)
	}
	return allowed
}

// noRoutePattern is the pattern of noRoute.
const noRoutePattern = "/"

// strictPaths responds with 404 to paths that the mux would redirect.
func strictPaths(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; r.Method == http.MethodConnect || p != path.Clean(p) {
			newProblem(NotFound).write(w, requestInfoOf(r.Context()).requestID)
			return
		}
		next.ServeHTTP(w, r)
	})
}
