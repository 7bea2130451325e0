package api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// checkQuery refuses what net/url would drop or choose among silently: a query that is not
// well-formed, a parameter that is unknown or given twice, a text that PostgreSQL could not hold.
func (s *Server) checkQuery(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	problem := parameters(ctx.Operation()).check(r.URL.RawQuery, r.PathValue)
	if problem != nil {
		problem.write(w, exchangeOf(r.Context()).requestID)
		return
	}
	next(ctx)
}

// parameterNames are those that a route knows.
type parameterNames struct{ query, path []string }

func parameters(op *huma.Operation) (names parameterNames) {
	for _, p := range op.Parameters {
		switch p.In {
		case "query":
			names.query = append(names.query, p.Name)
		case "path":
			names.path = append(names.path, p.Name)
		}
	}
	return names
}

func (n parameterNames) check(rawQuery string, pathValue func(string) string) *Problem {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return refuse(Malformed, "query", "must be well-formed")
	}
	var broken []FieldRule
	for name, values := range query {
		switch {
		case !slices.Contains(n.query, name):
			broken = append(
				broken,
				FieldRule{
					Field: shortened(strings.ToValidUTF8(name, "\uFFFD")),
					Rule:  "is not a parameter of this route",
				},
			)
		case len(values) > 1:
			broken = append(broken, FieldRule{Field: name, Rule: "must not be given twice"})
		case !storableText(values[0]):
			broken = append(broken, FieldRule{Field: name, Rule: "must be UTF-8 without NUL characters"})
		}
	}
	for _, name := range n.path {
		if !storableText(pathValue(name)) {
			broken = append(broken, FieldRule{Field: name, Rule: "must be UTF-8 without NUL characters"})
		}
	}
	if broken == nil {
		return nil
	}
	slices.SortFunc(broken, func(a, b FieldRule) int { return strings.Compare(a.Field, b.Field) })
	p := newProblem(InvalidField)
	p.Errors = broken[:min(len(broken), maxFieldRules)]
	return p
}

// maxFieldRules bounds how many mistakes an answer names.
const maxFieldRules = 20
