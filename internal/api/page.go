package api

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// PageQuery selects a page of a list.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The maximum number of items."`
	Cursor string `query:"cursor" maxLength:"200" doc:"The next_cursor of the previous page with the same filter."`
}

// after returns the item before a page; uuid.Nil for the first page.
func (s *Server) after(ctx context.Context, q PageQuery, filter any) (after uuid.UUID, err error) {
	return after, s.openCursor(ctx, q.Cursor, filter, &after)
}

// openCursor reads the position of a cursor; none for "".
func (s *Server) openCursor(ctx context.Context, cursor string, filter any, position ...*uuid.UUID) error {
	if cursor == "" {
		return nil
	}
	at, err := cursorScopeOf(ctx, filter)
	if err != nil {
		return err
	}
	return s.cursors.open(at, cursor, position...)
}

// nextCursor returns the cursor of the page after an item, or nil for uuid.Nil.
func (s *Server) nextCursor(ctx context.Context, last uuid.UUID, filter any) (*string, error) {
	if last == uuid.Nil {
		return nil, nil
	}
	return s.sealCursor(ctx, filter, last)
}

// sealCursor returns the cursor of a position.
func (s *Server) sealCursor(ctx context.Context, filter any, position ...uuid.UUID) (*string, error) {
	at, err := cursorScopeOf(ctx, filter)
	if err != nil {
		return nil, err
	}
	cursor, err := s.cursors.seal(at, position...)
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

// ownList is a list of what the caller has.
type ownList[T, I any] struct {
	read   func(context.Context, pg.Querier, activity.Principal, subscriptions.Page) ([]T, uuid.UUID, error)
	show   func(T) I // as the API shows an item
	filter any       // of the cursors
}

// listOwn returns a page of a list, and the cursor of the next page.
func listOwn[T, I any](
	ctx context.Context, s *Server, caller identity.Identity, q PageQuery, list ownList[T, I],
) (items []I, cursor *string, err error) {
	after, err := s.after(ctx, q, list.filter)
	if err != nil {
		return nil, nil, err
	}
	found, next, err := list.read(ctx, s.reads(ctx), caller.Principal, subscriptions.Page{Limit: q.Limit, After: after})
	if err != nil {
		return nil, nil, err
	}
	items = make([]I, len(found))
	for i, item := range found {
		items[i] = list.show(item)
	}
	cursor, err = s.nextCursor(ctx, next, list.filter)
	return items, cursor, err
}

// shortPages describes lists that are filtered while they are read.
const shortPages = "A page may have fewer items than its limit, even none, although there is a next page."
