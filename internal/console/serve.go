package console

import (
	"net/http"
	"path"
	"strings"
	"time"
)

const (
	index  = "index.html"
	assets = "assets/" // the files whose names contain a hash of their content
)

// mediaTypes are the media types of the files that a build contains, by extension. Those of the
// operating system differ between machines.
var mediaTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

func mediaTypeOf(name string) string {
	if known, ok := mediaTypes[path.Ext(name)]; ok {
		return known
	}
	return "application/octet-stream"
}

// notBuilt is the page of a binary that was built without the console.
const notBuilt = `<!doctype html>
<html lang="en">
<title>The console is not part of this build</title>
<h1>The console is not part of this build</h1>
<p>Run <code>make console</code> in the checkout, build the program again and restart it.
The API and its <a href="/v1/docs">reference</a> work without the console.</p>
`

// ServeHTTP serves a file, or the index at every path that has none: the console's script shows the
// view of the path.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.setHeaders(w.Header())
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, h.path), "/")
	found, ok := h.files[name]
	if !ok && (isFile(name) || !h.views && name != "") {
		http.Error(w, "The console has no such file.", http.StatusNotFound)
		return
	}
	if !ok {
		found, ok = h.files[index]
	}
	if !ok {
		w.Header().Set("Content-Type", mediaTypes[".html"])
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(h.notBuilt)) // fails only if the client has disconnected
		return
	}
	found.serve(w, r, name)
}

func (f file) serve(w http.ResponseWriter, r *http.Request, name string) {
	header := w.Header()
	header.Set("Content-Type", f.mediaType)
	header.Set("ETag", f.etag)
	if f.immutable {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, strings.NewReader(f.content))
}

// isFile reports whether a path can only be that of a file, not of a view: an old page that asks
// for a script that no longer exists must not receive the index. A view may name a document, as in
// "entities/document/notes.txt".
func isFile(name string) bool {
	_, known := mediaTypes[path.Ext(name)]
	return strings.HasPrefix(name, assets) || known && !strings.Contains(name, "/")
}

func (h *handler) setHeaders(header http.Header) {
	header.Set("Cache-Control", "no-cache")
	header.Set("Content-Security-Policy", h.policy)
	header.Set("Cross-Origin-Opener-Policy", h.opener)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", permissions)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
}
