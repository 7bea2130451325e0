package api

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/internal/identity"
)

const openAPIType = "application/openapi+json"

const description = `The HTTP API of Fanfare: inbox, subscriptions, preferences, activity log, tokens and operations.

**Caller.** A request is made for one principal of one tenant. Its credentials are a bearer token (a JWT or a
service token), the cookie of a session or, if the server trusts a gateway, the headers
` + "`X-Tenant-Id`, `X-Principal-Id`" + ` and ` + "`X-Scopes`" + `.

**Lists** are paginated, newest first. ` + "`next_cursor`" + ` is null on the last page; otherwise it is the
` + "`cursor`" + ` of the next page with the same filter. Rows that exist when the first page is read are neither
skipped nor repeated.

**Problems** are ` + "`application/problem+json`" + ` (RFC 9457). An id that does not exist, that belongs to
another tenant or that the caller may not see gets the same 404. The types:

`

// schemas returns the registry of the document's schemas, with the schema of problems.
func schemas() huma.Registry {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.Schema(reflect.TypeFor[Problem](), true, "")
	return registry
}

// removeUnused removes the schemas that huma adds to every document.
func removeUnused(document *huma.OpenAPI) {
	all := document.Components.Schemas.Map()
	delete(all, "ErrorModel")
	delete(all, "ErrorDetail")
}

// acceptEmpty documents that an optional field of a request body may be null and a query parameter
// empty, which count as omitted: many clients send all of them.
func acceptEmpty(document *huma.OpenAPI) {
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				p.AllowEmptyValue = p.In == "query"
			}
			if op.RequestBody != nil {
				acceptNull(document.Components.Schemas, op.RequestBody.Content["application/json"].Schema)
			}
		}
	}
}

func acceptNull(registry huma.Registry, s *huma.Schema) {
	for s.Ref != "" {
		s = registry.SchemaFromRef(s.Ref)
	}
	if s.Items != nil {
		acceptNull(registry, s.Items)
	}
	for name, property := range s.Properties {
		acceptNull(registry, property)
		if property.Nullable || len(property.AnyOf) > 0 || slices.Contains(s.Required, name) {
			continue
		}
		if property.Ref != "" {
			s.Properties[name] = &huma.Schema{
				Description: property.Description, AnyOf: []*huma.Schema{{Ref: property.Ref}, {Type: "null"}},
			}
			continue
		}
		property.Nullable = true
		if len(property.Enum) > 0 {
			property.Enum = append(property.Enum, nil)
		}
	}
}

// config returns the configuration of huma and the general part of the document.
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
						Description: "A JWT or a service token. It must carry the scopes of the route.",
					},
					tenantScheme: gateway("X-Tenant-Id", "Set by a trusted gateway, together with X-Principal-Id."),
					principalScheme: gateway(
						"X-Principal-Id",
						"Set by a trusted gateway, together with X-Tenant-Id. X-Scopes carries the scopes.",
					),
					sessionScheme: {
						Type: "apiKey", In: "cookie", Name: identity.SessionCookies()[1],
						Description: "Set by POST /session, with the scopes of its code; over TLS, its name begins " +
							"with __Host-. It is accepted in requests of pages of the API's own origin only.",
					},
				},
			},
		},
		// "json" applies to all media types that end in +json.
		Formats: map[string]huma.Format{
			"application/json": jsonFormat(),
			"json":             huma.DefaultJSONFormat,
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.asProblem},
	}
}

// asProblem sets the request id of problems, and converts huma's own errors to problems.
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

// problems documents the problems of a route: those with the given statuses, and those of the
// middlewares, which all routes share.
func problems(statuses ...int) map[string]*huma.Response {
	shared := []int{
		http.StatusBadRequest,
		http.StatusUnauthorized,
		http.StatusForbidden,
		http.StatusRequestTimeout,
		http.StatusRequestEntityTooLarge,
		http.StatusRequestURITooLong,
		http.StatusUnprocessableEntity,
		http.StatusTooManyRequests,
		http.StatusRequestHeaderFieldsTooLarge,
		http.StatusInternalServerError,
		http.StatusServiceUnavailable,
	}
	responses := map[string]*huma.Response{}
	for _, status := range append(shared, statuses...) {
		responses[fmt.Sprint(status)] = problemResponse(status)
	}
	return responses
}

// problemResponse documents the problems with a status.
func problemResponse(status int) *huma.Response {
	text := ""
	for _, k := range kinds() {
		if k.status == status {
			text = strings.TrimPrefix(text+"; "+k.title, "; ")
		}
	}
	return &huma.Response{
		Description: text + ".",
		Content: map[string]*huma.MediaType{
			problemType: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
		},
	}
}

// enumOf returns values as an enum of a schema.
func enumOf[T ~string](values []T) []any {
	enum := make([]any, len(values))
	for i, value := range values {
		enum[i] = string(value)
	}
	return enum
}

// describe sets descriptions of properties: struct tags are for short ones.
func describe(s *huma.Schema, descriptions map[string]string) *huma.Schema {
	for name, text := range descriptions {
		s.Properties[name].Description = text
	}
	return s
}
