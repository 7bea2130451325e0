package api

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
)

// PageQuery selects a page of a list.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The maximum number of items."`
	Cursor string `query:"cursor" maxLength:"200" doc:"The next_cursor of the previous page with the same filter."`
}

// after returns the item before a page; uuid.Nil for the first page.
func (s *Server) after(ctx context.Context, q PageQuery, filter any) (uuid.UUID, error) {
	if q.Cursor == "" {
		return uuid.Nil, nil
	}
	at, err := cursorScopeOf(ctx, filter)
	if err != nil {
		return uuid.Nil, err
	}
	return s.cursors.open(at, q.Cursor)
}

// nextCursor returns the cursor of the page after an item, or nil for uuid.Nil.
func (s *Server) nextCursor(ctx context.Context, last uuid.UUID, filter any) (*string, error) {
	if last == uuid.Nil {
		return nil, nil
	}
	at, err := cursorScopeOf(ctx, filter)
	if err != nil {
		return nil, err
	}
	cursor, err := s.cursors.seal(at, last)
	return &cursor, err
}

// cursorScopeOf returns the scope of the cursors of a request.
func cursorScopeOf(ctx context.Context, filter any) (cursorScope, error) {
	text, err := json.Marshal(filter)
	if err != nil {
		return cursorScope{}, err
	}
	info := requestInfoOf(ctx)
	return cursorScope{route: info.route, principal: info.caller.Principal, filter: string(text)}, nil
}

// shortPages describes lists that are filtered while they are read.
const shortPages = "A page may have fewer items than its limit, even none, although there is a next page."
