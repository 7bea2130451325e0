package api

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"github.com/fanfarehq/fanfare/activity/export"
)

// secure sets security headers in every response. The pages of the reference and of the
// console relax them.
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

// boundHeaders rejects a request whose URI or headers exceed a size in bytes. net/http rejects
// headers above maxHeaderBytes by itself.
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

// hold responds with 503 to every request while held reports true.
func hold(held func() bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if held != nil && held() {
				newProblem(Unavailable).withHeader("Retry-After", "1").write(w, requestInfoOf(r.Context()).requestID)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// allowOrigins lets pages of these web origins read responses. It does not allow cookies and other
// credentials that a browser adds by itself.
func allowOrigins(origins []string) func(http.Handler) http.Handler {
	if len(origins) == 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Last-Event-ID", requestIDHeader},
		ExposedHeaders: []string{"Allow", "Retry-After", "WWW-Authenticate", requestIDHeader},
		MaxAge:         600,
	}).Handler
}

// refuseCrossSite refuses a request that changes something and that a browser sent for a page of
// another origin than the API's own and these: behind a gateway that authenticates by cookie, any
// page could otherwise act for its visitors. It decides by Sec-Fetch-Site and Origin, which pages
// cannot set; a request without them is not from a browser.
func refuseCrossSite(origins []string) (func(http.Handler) http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		newProblem(CrossSite).write(w, requestInfoOf(r.Context()).requestID)
	}))
	return protection.Handler, nil
}

// compress compresses large responses. It does not compress event streams, because an event must
// not wait until a block is full.
func compress() (func(http.Handler) http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1400), gzhttp.ContentTypes([]string{
		"application/json", problemType, openAPIType, "text/html", "text/css", "text/javascript",
		"image/svg+xml", "application/manifest+json",
		export.CSV.MediaType(), export.JSONL.MediaType(),
	}))
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler { return wrap(next) }, nil
}
