package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// serveReference serves the OpenAPI document and the reference, which renders it, without
// authentication.
func serveReference(mux *http.ServeMux, document *huma.OpenAPI, reference http.Handler) error {
	spec, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	mux.HandleFunc("GET "+prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", openAPIType)
		h.Set("Cache-Control", "no-cache")
		_, _ = w.Write(spec) // fails only if the client has disconnected
	})
	if reference != nil {
		mux.Handle("GET "+prefix+"/docs", reference)
		mux.Handle("GET "+prefix+"/docs/{path...}", reference)
	}
	return nil
}
