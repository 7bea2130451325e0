package api

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const openAPIType = "application/openapi+json"

const description = `The HTTP interface of Fanfare: who hears what, what happened, and what is waiting to be told.

**Identity.** A request speaks for one principal of one tenant: by a bearer token (a JWT, or a service token), or, where the
server is told to trust its gateway, by the headers ` + "`X-Tenant-Id`, `X-Principal-Id` and `X-Scopes`" + `.

**Lists** come in pages, newest first. ` + "`next_cursor`" + ` is null on the last page; else it is the ` + "`cursor`" + ` of the next request, with the
same filter. Pages neither skip nor repeat what was there when the first one was read.

**Problems** are ` + "`application/problem+json`" + ` (RFC 9457). An id that is unknown, another tenant's or not yours to see is answered
with the same 404. The types:

`

// schemas is where the document keeps its schemas; those of problems are there from the first.
func schemas() huma.Registry {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.Schema(reflect.TypeFor[Problem](), true, "")
	return registry
}

// removeUnused takes out of the document what huma puts into every one.
func removeUnused(document *huma.OpenAPI) {
	all := document.Components.Schemas.Map()
	delete(all, "ErrorModel")
	delete(all, "ErrorDetail")
}

// config is what is said of the API as a whole.
func (s *Server) config(version string) huma.Config {
	text := strings.Builder{}
	text.WriteString(description)
	for _, k := range kinds() {
		fmt.Fprintf(&text, "- `/problems/%s` (%d): %s.\n", k.kind, k.status, k.title)
	}
	gateway := func(name, text string) *huma.SecurityScheme {
		return &huma.SecurityScheme{Type: "apiKey", In: "header", Name: name, Description: text}
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Fanfare", Version: version, Description: text.String()},
			Components: &huma.Components{
				Schemas: schemas(),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					tokenScheme: {
						Type: "http", Scheme: "bearer",
						Description: "A JWT or a service token. Where a route names a scope, the token must carry it.",
					},
					tenantScheme: gateway("X-Tenant-Id", "Set by a trusted gateway, with X-Principal-Id."),
					principalScheme: gateway(
						"X-Principal-Id",
						"Set by a trusted gateway, with X-Tenant-Id. X-Scopes carries the scopes.",
					),
				},
			},
		},
		// "json" stands for every media type that ends in +json.
		Formats: map[string]huma.Format{
			"application/json": huma.DefaultJSONFormat,
			"json":             huma.DefaultJSONFormat,
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.asProblem},
	}
}

// asProblem gives problems their request's id, and makes problems of huma's own refusals.
func (s *Server) asProblem(ctx huma.Context, _ string, response any) (any, error) {
	var p Problem
	switch r := response.(type) {
	case *huma.ErrorModel:
		p = *humaProblem(r)
	case *Problem:
		p = *r
	default:
		return response, nil
	}
	p.RequestID = requestInfoOf(ctx.Context()).requestID
	return &p, nil
}

// problems documents the answers of a route besides the one it is for. Every route has those that
// stand before the routes.
func problems(statuses ...int) map[string]*huma.Response {
	always := []int{
		http.StatusBadRequest,
		http.StatusUnauthorized,
		http.StatusUnprocessableEntity,
		http.StatusTooManyRequests,
		http.StatusInternalServerError,
		http.StatusServiceUnavailable,
	}
	responses := map[string]*huma.Response{}
	for _, status := range append(always, statuses...) {
		text := ""
		for _, k := range kinds() {
			if k.status == status {
				text = strings.TrimPrefix(text+"; "+k.title, "; ")
			}
		}
		responses[fmt.Sprint(status)] = &huma.Response{
			Description: text + ".",
			Content: map[string]*huma.MediaType{
				problemType: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
			},
		}
	}
	return responses
}
