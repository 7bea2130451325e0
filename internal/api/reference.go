package api

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// pages contain the reference page, which renders the OpenAPI document and loads nothing from other
// hosts.
//
//go:embed reference/reference.html reference/reference.js reference/reference.css
var pages embed.FS

// pagePolicy lets the reference page run its own script and read the document
// (https://www.w3.org/TR/CSP3/).
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveReference serves the OpenAPI document and the reference page, without authentication.
func serveReference(mux *http.ServeMux, document *huma.OpenAPI) error {
	spec, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	serve := func(path, mediaType string, content []byte) {
		mux.HandleFunc("GET "+prefix+path, func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", mediaType)
			h.Set("Content-Security-Policy", pagePolicy)
			h.Set("Cache-Control", "no-cache")
			_, _ = w.Write(content) // fails only if the client has disconnected
		})
	}
	serve("/openapi.json", openAPIType, spec)
	for _, page := range []struct{ path, file, mediaType string }{
		{"/docs", "reference/reference.html", "text/html; charset=utf-8"},
		{"/docs/reference.js", "reference/reference.js", "text/javascript; charset=utf-8"},
		{"/docs/reference.css", "reference/reference.css", "text/css; charset=utf-8"},
	} {
		content, err := pages.ReadFile(page.file)
		if err != nil {
			return fmt.Errorf("read the reference page: %w", err)
		}
		serve(page.path, page.mediaType, content)
	}
	return nil
}
