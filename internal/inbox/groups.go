package inbox

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/feed"
)

// GroupWindow is the number of notifications that are grouped together.
const GroupWindow = 5_000

// GroupQuery selects part of an inbox in groups.
type GroupQuery struct {
	Selection
	By    GroupBy
	Limit int      // maximum number of groups; DefaultPage if not positive, MaxPage if above it
	After Position // the zero Position selects the first page
}

// Position is the place in a list of groups after a page.
type Position struct {
	Window uuid.UUID // the notifications of the window are older than this one
	Group  uuid.UUID // the newest notification of the last group; uuid.Nil if none of the window was returned
}

// GroupPage is part of an inbox in groups.
type GroupPage struct {
	Groups []*Group
	Next   Position // GroupQuery.After of the next page; zero after the last
}

// Groups returns the notifications of a selection whose activities the principal may see now, in
// groups, in the order of the newest notification of each.
//
// The GroupWindow newest notifications in the state and of the times are grouped together, then the
// next older ones, and so on. All numbers of a group are of its window: they are exact as long as
// there are no more notifications than that, and otherwise a group may continue in the next window
// as a group of its own. Consecutive pages neither skip nor repeat a group, whatever is added
// meanwhile: the first page fixes where the windows begin.
//
// As in List, nothing that the principal may not see is compared with the filter. The error is an
// *invalid.Error if the query is invalid.
func Groups(ctx context.Context, db DB, principal activity.Principal, q GroupQuery) (GroupPage, error) {
	if err := q.validate(); err != nil {
		return GroupPage{}, err
	}
	p, err := scan(ctx, db, principal, q.Selection, q.After.Window, GroupWindow)
	if err != nil {
		return GroupPage{}, err
	}
	window := q.After.Window
	if window == uuid.Nil {
		window = successor(p.newest)
	}
	ids, err := feed.Visible(ctx, db, principal, p.headers(), q.Filter)
	if err != nil {
		return GroupPage{}, err
	}
	groups, more := pageOf(group(q.By, p.only(ids)), q.After.Group, pageLimit(q.Limit))
	page := GroupPage{Groups: groups}
	switch {
	case more:
		page.Next = Position{Window: window, Group: groups[len(groups)-1].newest()}
	case p.read == GroupWindow:
		page.Next = Position{Window: p.last}
	}
	return page, fill(ctx, db, principal, groups)
}

func (q *GroupQuery) validate() error {
	switch q.By {
	case ByResource, ByCorrelation, ByBurst:
		return q.Validate()
	}
	return &invalid.Error{Subject: "filter", Fields: []invalid.Field{{
		Name: "group_by", Value: string(q.By), Rule: "must be resource, correlation or burst",
	}}}
}

// only returns the rows that have one of the ids.
func (p *part) only(ids []uuid.UUID) []Notification {
	wanted := make(map[uuid.UUID]struct{}, len(ids))
	for _, id := range ids {
		wanted[id] = struct{}{}
	}
	return slices.DeleteFunc(p.rows, func(n Notification) bool {
		_, found := wanted[n.ID]
		return !found
	})
}

// fill reads the items of groups, and their activities.
func fill(ctx context.Context, db DB, principal activity.Principal, groups []*Group) error {
	var items []Notification
	for _, g := range groups {
		items = append(items, g.Items...)
	}
	if len(items) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(items))
	for i := range items {
		ids[i] = items[i].ID
	}
	found, err := pglog.New(db).Read(ctx, principal.TenantID, ids, activity.Filter{}, len(ids))
	if err != nil {
		return err
	}
	byID := make(map[uuid.UUID]activity.Activity, len(found))
	for i := range found {
		byID[found[i].ID] = found[i]
	}
	for _, g := range groups {
		g.Items, items = items[:len(g.Items)], items[len(g.Items):]
		for i := range g.Items {
			g.Items[i].Activity = byID[g.Items[i].ID]
		}
		isPurged := func(n Notification) bool { return n.Activity.ID == uuid.Nil }
		g.Items = slices.DeleteFunc(g.Items, isPurged)
	}
	return nil
}
