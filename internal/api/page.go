package api

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
)

// PageQuery says which part of a list is wanted.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many items."`
	Cursor string `query:"cursor" maxLength:"200" doc:"The next_cursor of the page before, with the same filter."`
}

// after returns the item after which a page begins; uuid.Nil is from the first on.
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

// nextCursor returns the cursor of the page after an item; after uuid.Nil there is none.
func (s *Server) nextCursor(ctx context.Context, last uuid.UUID, filter any) (*string, error) {
	if last == uuid.Nil {
		return nil, nil
	}
	at, err := cursorScopeOf(ctx, filter)
	if err != nil {
		return nil, err
	}
	cursor := s.cursors.seal(at, last)
	return &cursor, nil
}

// cursorScopeOf returns where the cursors of a request apply.
func cursorScopeOf(ctx context.Context, filter any) (cursorScope, error) {
	text, err := json.Marshal(filter)
	if err != nil {
		return cursorScope{}, err
	}
	info := requestInfoOf(ctx)
	return cursorScope{route: info.route, principal: info.caller.Principal, filter: string(text)}, nil
}
