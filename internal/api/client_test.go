package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
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
	if got.status >= 400 {
		if mediaType != "application/problem+json" {
			return "not a problem document but " + mediaType
		}
		return schemaViolation(d.document, &huma.Schema{Ref: "#/components/schemas/Problem"}, got.body)
	}
	op := d.of(r)
	if op == nil || got.status == http.StatusNoContent {
		return ""
	}
	response := op.Responses[httpStatus(got.status)]
	if response == nil {
		return "the status is not documented"
	}
	media := response.Content[mediaType]
	if media == nil {
		return "the media type is not documented: " + mediaType
	}
	if r.Method == http.MethodHead || mediaType != "application/json" {
		return ""
	}
	return schemaViolation(d.document, media.Schema, got.body)
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
