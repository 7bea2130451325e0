package api

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

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

// OpenCursor returns the id in a cursor of a list of activities, or uuid.Nil.
func (s *Server) OpenCursor(principal activity.Principal, filter, cursor string) uuid.UUID {
	at := cursorScope{route: "GET /v1/activities", principal: principal, filter: filter}
	var id uuid.UUID
	_ = s.cursors.open(at, cursor, &id)
	return id
}
