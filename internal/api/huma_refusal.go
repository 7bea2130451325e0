package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// refusedByHuma renders what huma refused by itself: a request that does not fit the route's
// schema.
func refusedByHuma(m *huma.ErrorModel) *Problem {
	p := newProblem(kindOfStatus(m.Status))
	p.Status = m.Status
	if p.Type == "/problems/"+string(Internal) {
		return p
	}
	if len(m.Errors) == 0 && m.Detail != "" {
		p.Errors = []FieldRule{{Field: "body", Rule: m.Detail}}
	}
	for _, e := range m.Errors[:min(len(m.Errors), maxFieldRules)] {
		p.Errors = append(p.Errors, fieldRule(e))
	}
	return p
}

// fieldRule names a field as clients know it: "body.scope" is "scope", and a missing field is named
// itself and not the object it is missing from.
func fieldRule(e *huma.ErrorDetail) FieldRule {
	field := e.Location
	for _, place := range []string{"body", "query", "path", "header"} {
		if rest, found := strings.CutPrefix(field, place+"."); found {
			field = rest
			break
		}
	}
	rule := FieldRule{Field: shortened(field), Rule: e.Message, Value: scalar(e.Value)}
	if rest, found := strings.CutPrefix(e.Message, "expected required property "); found {
		missing := strings.TrimSuffix(rest, " to be present")
		rule = FieldRule{
			Field: strings.TrimPrefix(strings.TrimPrefix(e.Location+"."+missing, "body"), "."),
			Rule:  "is required",
		}
	}
	if e.Location == "body" && rule.Value != nil {
		rule.Value = nil // the whole body
	}
	return rule
}

// scalar keeps a value that is short to say.
func scalar(value any) any {
	switch v := value.(type) {
	case string:
		if v == "" {
			return nil
		}
		return shortened(v)
	case bool, float64, int, int64:
		return v
	default:
		return nil
	}
}
