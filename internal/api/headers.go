package api

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"github.com/fanfarehq/fanfare/activity/export"
)

// secure says in every answer what a browser must not do with it. Pages of our own loosen what they
// need to.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// boundHeaders refuses a request whose URI or headers are too large. What is larger still, net/http
// refuses by itself.
func boundHeaders(maxURI, maxHeaders int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			size := 0
			for name, values := range r.Header {
				for _, value := range values {
					size += len(name) + len(value)
				}
			}
			switch {
			case len(r.RequestURI) > maxURI:
				newProblem(URITooLong).write(w, requestInfoOf(r.Context()).requestID)
			case size > maxHeaders:
				newProblem(HeadersTooLarge).write(w, requestInfoOf(r.Context()).requestID)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}

// share lets pages of these origins read the answers. Credentials that a browser sends by itself
// are never asked for.
func share(origins []string) func(http.Handler) http.Handler {
	if len(origins) == 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{
			http.MethodGet,
			http.MethodHead,
			http.MethodPost,
			http.MethodPut,
			http.MethodPatch,
			http.MethodDelete,
		},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Last-Event-ID", requestIDHeader},
		ExposedHeaders: []string{"Allow", "Retry-After", "WWW-Authenticate", requestIDHeader},
		MaxAge:         600,
	}).Handler
}

// compress compresses answers that are worth it. Streams of events are left alone: they must not
// wait for a block to fill.
func compress() (func(http.Handler) http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1400), gzhttp.ContentTypes([]string{
		"application/json", problemType, openAPIType, "text/html", "text/css", "text/javascript", export.CSV.MediaType(), export.JSONL.MediaType(),
	}))
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler { return wrap(next) }, nil
}
