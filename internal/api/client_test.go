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

// client sends requests, and holds every answer against the OpenAPI document.
type client struct {
	t       testing.TB
	w       *world
	handler http.Handler
	header  http.Header
}

// reply is an answer.
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
	r.RemoteAddr = "127.0.0.1:40000"
	recorder := httptest.NewRecorder()
	c.handler.ServeHTTP(recorder, r)
	answer := reply{t: c.t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
	if answer.header.Get("Content-Encoding") == "gzip" {
		answer.body = unzipped(c.t, answer.body)
	}
	if wrong := c.w.routes.documented(r, answer); wrong != "" {
		c.t.Errorf("%s %s: %d %s: %s", r.Method, r.URL, answer.status, answer.body, wrong)
	}
	return answer
}

// with returns a client that also sends a header.
func (c client) withHeader(name, value string) client {
	c.header = c.header.Clone()
	c.header.Set(name, value)
	return c
}

// want fails the test unless the status is the one wanted.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("got status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// as reads the body into what it returns.
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

// documented returns how an answer differs from what the document says of it, or "".
func (d documentedRoutes) documented(r *http.Request, answer reply) string {
	if id := answer.header.Get("X-Request-Id"); id == "" {
		return "no X-Request-Id"
	}
	mediaType := answer.header.Get("Content-Type")
	if answer.status >= 400 {
		if mediaType != "application/problem+json" {
			return "not a problem document but " + mediaType
		}
		return fits(d.document, &huma.Schema{Ref: "#/components/schemas/Problem"}, answer.body)
	}
	op := d.of(r)
	if op == nil || answer.status == http.StatusNoContent {
		return ""
	}
	response := op.Responses[httpStatus(answer.status)]
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
	return fits(d.document, media.Schema, answer.body)
}

// fits returns how a body differs from a schema, or "".
func fits(document *huma.OpenAPI, schema *huma.Schema, body []byte) string {
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
		return "not as its schema says: " + result.Errors[0].Error()
	}
	return ""
}
