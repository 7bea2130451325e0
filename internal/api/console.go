package api

import (
	"net/http"
	"path"
	"strings"
)

// consolePath is the path of the console. It is the only path below which a path may end with a
// slash.
const consolePath = "/console/"

// serveConsole serves the console, and leads there from the root.
func serveConsole(mux *http.ServeMux, console http.Handler) {
	if console == nil {
		return
	}
	redirect := http.RedirectHandler(consolePath, http.StatusSeeOther)
	mux.Handle("GET /{$}", redirect)
	mux.Handle("GET "+strings.TrimSuffix(consolePath, "/"), redirect)
	mux.Handle("GET "+consolePath+"{path...}", console)
}

// isStrict reports whether the mux serves a path as it is. It would redirect others.
func isStrict(p string) bool {
	if p == consolePath {
		return true
	}
	if strings.HasPrefix(p, consolePath) {
		p = strings.TrimSuffix(p, "/")
	}
	return p == path.Clean(p)
}
