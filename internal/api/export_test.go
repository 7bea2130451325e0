package api

import "github.com/danielgtaylor/huma/v2"

// Document returns the OpenAPI document.
func (s *Server) Document() *huma.OpenAPI { return s.document }

// CheckJSON is checkJSON.
func CheckJSON(body []byte) error { return checkJSON(body) }

// Kinds returns the statuses of the kinds of problem.
func Kinds() map[Kind]int {
	statuses := map[Kind]int{}
	for _, k := range kinds() {
		statuses[k.kind] = k.status
	}
	return statuses
}
