package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// client sends requests, and checks every response against the OpenAPI document.
type client struct {
	t       testing.TB
	w       *world
	handler http.Handler
	header  http.Header
}

// reply is a response.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// do sends a request with a JSON body, unless that is empty.
func (c client) do(method, target, body string) reply {
	c.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, content)
	r.Header = c.header.Clone()
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return c.send(r)
}

func (c client) send(r *http.Request) reply {
	c.t.Helper()
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:8080"
	recorder := httptest.NewRecorder()
	c.handler.ServeHTTP(recorder, r)
	response := reply{t: c.t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
	if response.header.Get("Content-Encoding") == "gzip" {
		response.body = unzipped(c.t, response.body)
	}
	if violation := c.w.routes.violation(r, response); violation != "" {
		c.t.Errorf("%s %s: %d %s: %s", r.Method, r.URL, response.status, response.body, violation)
	}
	return response
}

// withHeader returns a client that also sends a header.
func (c client) withHeader(name, value string) client {
	c.header = c.header.Clone()
	c.header.Set(name, value)
	return c
}

// want fails the test unless the response has a status.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("got status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// as decodes the body.
func as[T any](r reply) (v T) {
	r.t.Helper()
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatalf("%s: %v", r.body, err)
	}
	return v
}

func unzipped(t testing.TB, body []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// violation returns how a response violates the document, or "".
func (d documentedRoutes) violation(r *http.Request, got reply) string {
	if id := got.header.Get("X-Request-Id"); id == "" {
		return "no X-Request-Id"
	}
	mediaType := got.header.Get("Content-Type")
	op, found := d.of(r)
	if !found {
		if got.status < 400 {
			return ""
		}
		return d.schemas.violation("#/components/schemas/Problem", got.body)
	}
	status := strconv.Itoa(got.status)
	response := op.Responses[status]
	switch {
	case response == nil:
		return "the status is not documented"
	case len(response.Content) == 0 && len(got.body) > 0:
		return "a body is not documented"
	case len(response.Content) == 0:
		return ""
	case response.Content[mediaType] == nil:
		return "the media type is not documented: " + mediaType
	case r.Method == http.MethodHead || !strings.HasSuffix(strings.Replace(mediaType, "/", "+", 1), "+json"):
		return ""
	}
	return d.schemas.violation(op.place("responses", status, "content", mediaType, "schema"), got.body)
}

// place returns the JSON pointer to a part of an operation.
func (op operation) place(steps ...string) string {
	place := "#/paths"
	for _, step := range append([]string{op.path, strings.ToLower(op.method)}, steps...) {
		place += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
	}
	return place
}

// documentSchemas are the schemas of a served document, read as what they are since OpenAPI 3.1:
// JSON Schema, draft 2020-12. It is safe for concurrent use.
type documentSchemas struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	known    map[string]*jsonschema.Schema
}

const documentURL = "https://fanfare.example/v1/openapi.json"

func newDocumentSchemas(t testing.TB, document []byte) *documentSchemas {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(documentURL, value); err != nil {
		t.Fatal(err)
	}
	return &documentSchemas{compiler: compiler, known: map[string]*jsonschema.Schema{}}
}

// violation returns how a body violates the schema at a place of the document, or "".
func (s *documentSchemas) violation(place string, body []byte) string {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return "not JSON: " + err.Error()
	}
	schema, err := s.at(place)
	if err != nil {
		return err.Error()
	}
	if err := schema.Validate(value); err != nil {
		return err.Error()
	}
	return ""
}

// at returns the schema at a place of the document.
func (s *documentSchemas) at(place string) (schema *jsonschema.Schema, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[place] == nil {
		s.known[place], err = s.compiler.Compile(documentURL + place)
	}
	return s.known[place], err
}

// schemaViolation returns how a body violates a schema, or "".
func schemaViolation(document *huma.OpenAPI, schema *huma.Schema, body []byte) string {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return "not JSON: " + err.Error()
	}
	result := &huma.ValidateResult{}
	huma.Validate(
		document.Components.Schemas,
		schema,
		huma.NewPathBuffer(nil, 0),
		huma.ModeReadFromServer,
		value,
		result,
	)
	if len(result.Errors) > 0 {
		return "not valid against its schema: " + result.Errors[0].Error()
	}
	return ""
}
