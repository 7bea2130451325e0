package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
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
		handler, pattern := mux.Handler(&http.Request{Method: method, Host: r.Host, URL: r.URL})
		if _, none := handler.(noMethod); !none && pattern != "" && pattern != noRoutePattern {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		allowed = append(allowed, http.MethodOptions)
	}
	return allowed
}

// noMethod is noRoute at a path without parameters, for a method that it does not support. Without
// it, PATCH /notifications/preferences would be a change of the notification "preferences".
type noMethod struct{ http.Handler }

func (h noMethod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Pattern = noRoutePattern
	h.Handler.ServeHTTP(w, r)
}

// handleNoMethods registers noMethod for the paths of the document.
func handleNoMethods(mux *http.ServeMux, document *huma.OpenAPI) {
	for route, item := range document.Paths {
		if strings.Contains(route, "{") {
			continue
		}
		for method, op := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post,
			http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
		} {
			if op == nil {
				mux.Handle(method+" "+prefix+route, noMethod{noRoute(mux)})
			}
		}
	}
}

// noRoutePattern is the pattern of noRoute.
const noRoutePattern = "/"

// strictPaths responds with 404 to paths that the mux would redirect.
func strictPaths(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || !isStrict(r.URL.Path) {
			newProblem(NotFound).write(w, requestInfoOf(r.Context()).requestID)
			return
		}
		next.ServeHTTP(w, r)
	})
}
