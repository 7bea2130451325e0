package api

import (
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is a problem document (RFC 9457). It is also an error.
type Problem struct {
	Type      string      `json:"type" format:"uri-reference" example:"/problems/invalid-field"`
	Title     string      `json:"title" doc:"The summary of the kind of problem." example:"Validation failed"`
	Status    int         `json:"status" doc:"The HTTP status." example:"422"`
	Detail    string      `json:"detail" doc:"The explanation of this occurrence."`
	Errors    []Violation `json:"errors,omitempty" nullable:"false" doc:"The violated rules, at most 20."`
	Denied    []string    `json:"denied_channels,omitempty" nullable:"false" doc:"The channels that were denied."`
	RequestID string      `json:"request_id" doc:"The request's id, as in the header X-Request-Id."`

	headers http.Header
}

// TransformSchema adds descriptions to the schema.
func (*Problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{"type": "The kind of problem, which is stable: clients decide by it."})
}

// Violation identifies a field and the rule that it violates.
type Violation struct {
	Field string `json:"field" doc:"The parameter, or the path of the body's field." example:"subscriptions[3].scope"`
	Rule  string `json:"rule" doc:"The violated rule." example:"must be one of resource, descendants"`
	Value any    `json:"value,omitempty" doc:"The rejected value if it is a string, a number or a boolean; truncated."`
}

// newProblem returns a problem with the default texts of its kind.
func newProblem(k Kind) *Problem {
	info := infoOf(k)
	return &Problem{Type: "/problems/" + string(k), Title: info.title, Status: info.status, Detail: info.detail}
}

// fieldProblem returns a problem with one violation.
func fieldProblem(k Kind, field, rule string) *Problem {
	return newProblem(k).withViolations(Violation{Field: field, Rule: rule})
}

// withHeader sets a header of the response.
func (p *Problem) withHeader(name, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(name, value)
	return p
}

// withDetail replaces the default detail.
func (p *Problem) withDetail(detail string) *Problem {
	p.Detail = detail
	return p
}

// maxViolations is the maximum number of violations in a problem.
const maxViolations = 20

// withViolations adds violations up to maxViolations. It truncates their fields and values, and
// omits values that are not scalar.
func (p *Problem) withViolations(all ...Violation) *Problem {
	for _, v := range all[:min(len(all), maxViolations-len(p.Errors))] {
		v.Field, v.Value = truncated(v.Field), scalar(v.Value)
		p.Errors = append(p.Errors, v)
	}
	return p
}

// Error returns the title and the detail.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// write sends the problem as the response.
func (p *Problem) write(w http.ResponseWriter, requestID string) {
	document := *p
	document.RequestID = requestID
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	body := json.NewEncoder(w)
	body.SetEscapeHTML(false)
	_ = body.Encode(document) // fails only if the client has disconnected
}

// scalar returns a string, truncated, a boolean or a number as it is, and nil for anything else and
// for the empty string.
func scalar(value any) any {
	switch v := value.(type) {
	case string:
		if v == "" {
			return nil
		}
		return truncated(v)
	case bool, float64, int, int64, json.Number:
		return v
	default:
		return nil
	}
}

// truncated returns at most the first 100 characters of a text.
func truncated(text string) string {
	const limit = 100
	n := 0
	for i := range text {
		if n++; n > limit {
			return text[:i] + "…"
		}
	}
	return text
}
