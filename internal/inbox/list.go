package inbox

import (
	"bytes"
	"context"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// The bounds of List.
const (
	DefaultPage = 50    // notifications of a page without a limit
	MaxPage     = 200   // maximum number of notifications of a page
	ReadBudget  = 2_000 // maximum number of notifications that List reads
)

// Query selects part of an inbox.
type Query struct {
	Selection
	Limit int       // maximum number of notifications; DefaultPage if not positive, MaxPage if above it
	After uuid.UUID // only notifications older than this one; uuid.Nil selects the first page
}

// Page is part of an inbox.
type Page struct {
	Items []Notification
	Next  uuid.UUID // Query.After of the next page; uuid.Nil after the last

	// Actors are the entries of the activities' actors in the directory. Only Overview reads them.
	Actors map[activity.Principal]directory.Actor
}

// pageLimit returns the effective limit of a page.
func pageLimit(limit int) int {
	if limit <= 0 {
		return DefaultPage
	}
	return min(limit, MaxPage)
}

// List returns the notifications of a selection whose activities the principal may see now, newest
// first. Consecutive pages neither skip nor repeat a notification, whatever is added meanwhile. The
// error is an *invalid.Error if the selection is invalid.
//
// List reads at most ReadBudget notifications in the state and of the times. A page may therefore
// have fewer notifications than its limit, even none, and still have a Next. As in package feed,
// nothing that the principal may not see is compared with the filter.
func List(ctx context.Context, db DB, principal activity.Principal, q Query) (Page, error) {
	if err := q.Validate(); err != nil {
		return Page{}, err
	}
	page, err := list(ctx, db, directory.NewViewer(principal), q, nil)
	page.Actors = nil
	return page, err
}

// list is List with the first part of an inbox, which has been read already, or nil. Unless
// something is tested of the notifications, it also reads the actors.
func list(ctx context.Context, db DB, viewer *directory.Viewer, q Query, first *firstPart) (Page, error) {
	principal := viewer.Principal
	notifications := map[uuid.UUID]*Notification{} // of the activities that a filter tests
	rows := map[uuid.UUID]*row{}                   // otherwise
	r := feed.Reading{
		Viewer: viewer,
		Filter: q.Filter,
		Page:   activity.Page{Limit: pageLimit(q.Limit), Before: q.After},
		Tested: q.tested(),
		Budget: ReadBudget,
	}
	page := Page{Items: []Notification{}}
	if q.tested() {
		r.Next = func(ctx context.Context, before uuid.UUID, limit int) (feed.Part, error) {
			p, err := scan(ctx, db, principal, q.Selection, before, limit)
			for i := range p.rows {
				notifications[p.rows[i].ID] = &p.rows[i]
			}
			return feed.Part{Headers: p.headers(), Read: p.read, Last: p.last}, err
		}
	} else {
		page.Actors = map[activity.Principal]directory.Actor{}
		r.Next = func(ctx context.Context, before uuid.UUID, limit int) (feed.Part, error) {
			p := first
			first = nil
			if p == nil {
				var err error
				if p, err = readPart(ctx, db, viewer, q.State, before, limit); err != nil {
					return feed.Part{}, err
				}
			}
			part := feed.Part{Read: len(p.rows)}
			for i := range p.rows {
				if part.Last = p.rows[i].id; p.allowed[i] {
					rows[part.Last] = &p.rows[i]
					part.Visible = append(part.Visible, part.Last)
				}
			}
			return part, nil
		}
		r.Fetch = func(ctx context.Context, ids []uuid.UUID, limit int) ([]activity.Activity, error) {
			return readEvents(ctx, db, principal, ids, limit, page.Actors)
		}
	}
	found, next, err := feed.Read(ctx, db, r)
	if err != nil {
		return Page{}, err
	}
	page.Next = next
	for i := range found {
		n := notifications[found[i].ID]
		if n == nil {
			page.Items = append(page.Items, rows[found[i].ID].notification(found[i]))
			continue
		}
		n.Activity = found[i]
		page.Items = append(page.Items, *n)
	}
	return page, nil
}

// less reports whether an id is lower than another, and so older.
func less(a, b uuid.UUID) bool { return bytes.Compare(a[:], b[:]) < 0 }
