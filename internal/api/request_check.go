package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// checkRequest rejects a request whose parameters or body violate the operation's schemas, and
// reports all violations at once. It also rejects what net/url and encoding/json accept silently:
// unknown and repeated parameters and fields, and texts that PostgreSQL cannot store.
//
// It buffers the body for the handler.
func (s *Server) checkRequest(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	body, err := s.validBody(w, ctx)
	if err != nil {
		s.problem(r.Context(), err).write(w, requestInfoOf(r.Context()).requestID)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	next(ctx)
}

// validBody reads the body of a request and checks it together with the request's parameters. The
// error is a *Problem.
func (s *Server) validBody(w http.ResponseWriter, ctx huma.Context) ([]byte, error) {
	r, _ := humago.Unwrap(ctx)
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fieldProblem(Malformed, "query", "must be well-formed")
	}
	check := schemaChecker{registry: s.document.Components.Schemas}
	check.parameters(ctx, query)
	expected, limit := ctx.Operation().RequestBody, s.limits.BodyBytes
	records := slices.Contains([]string{recordOperation, dryRunOperation}, ctx.Operation().OperationID)
	if records {
		limit = max(limit, recordBodyBytes)
	}
	body, err := readBody(w, r, expected, limit)
	if err != nil {
		return nil, err
	}
	switch {
	case len(body) == 0:
	case records:
		err = wellFormed(body)
	default:
		if err = checkJSON(body); err == nil {
			check.body(expected, body)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(check.violations) > 0 {
		return nil, newProblem(InvalidField).withViolations(check.violations...)
	}
	return body, nil
}

// parameters checks the query and path parameters of an operation. An empty value counts as none.
func (c *schemaChecker) parameters(ctx huma.Context, query url.Values) {
	known := map[string]bool{}
	for _, p := range ctx.Operation().Parameters {
		var value string
		switch p.In {
		case "query":
			known[p.Name] = true
			value = ctx.Query(p.Name) // of "?flag" it is "true"
		case "path":
			value = ctx.Param(p.Name)
		}
		switch {
		case p.In == "query" && len(query[p.Name]) > 1:
			c.violation(p.Name, "must be given only once", nil)
		case !storableText(value):
			c.violation(p.Name, "must be UTF-8 without NUL characters", nil)
		case value != "":
			c.check(p.Schema, p.Name, parameterValue(p.Schema, value))
		}
	}
	var unknown []string
	for name := range query {
		if !known[name] {
			unknown = append(unknown, strings.ToValidUTF8(name, "\uFFFD"))
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		c.violation(name, "is not a parameter of this route", nil)
	}
}

// parameterValue converts the text of a parameter to the JSON value that its schema describes, or
// returns the text if that is impossible.
func parameterValue(s *huma.Schema, text string) any {
	switch s.Type {
	case huma.TypeInteger:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return json.Number(strconv.FormatInt(n, 10))
		}
	case huma.TypeBoolean:
		if value, err := strconv.ParseBool(text); err == nil {
			return value
		}
	}
	return text
}

// body checks a body that checkJSON has accepted.
func (c *schemaChecker) body(of *huma.RequestBody, text []byte) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		c.violation("body", "must be one JSON value", nil)
		return
	}
	c.check(of.Content["application/json"].Schema, "", value)
}
