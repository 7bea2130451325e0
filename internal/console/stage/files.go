package stage

import (
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// consoleFiles serves the console's files from a directory that a build changes: without caching,
// with the policy of the console, and with its page for every path that is no file.
func consoleFiles(dist fs.FS, webSocketURL string) http.Handler {
	policy := contentSecurityPolicy(webSocketURL)
	files := http.StripPrefix("/console/", http.FileServerFS(dist))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		name := path.Clean(strings.TrimPrefix(r.URL.Path, "/console/"))
		if info, err := fs.Stat(dist, name); err != nil || info.IsDir() {
			if path.Ext(name) != "" {
				http.NotFound(w, r)
				return
			}
			http.ServeFileFS(w, r, dist, "index.html")
			return
		}
		files.ServeHTTP(w, r)
	})
}

func contentSecurityPolicy(webSocketURL string) string {
	realtime := ""
	if u, err := url.Parse(webSocketURL); err == nil {
		realtime = " " + u.Scheme + "://" + u.Host
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'" + realtime + "; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'; require-trusted-types-for 'script'"
}
