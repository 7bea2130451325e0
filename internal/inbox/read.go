package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers"
)

// Notification is an activity that the principal was told of.
type Notification struct {
	ID        uuid.UUID // the activity's
	Reasons   watchers.Reasons
	CreatedAt time.Time
	ReadAt    *time.Time // nil while it is unread
	Activity  activity.Activity
}

// The bounds of List.
const (
	DefaultPage = 50    // notifications in a page that names no limit
	MaxPage     = 200   // notifications in a page
	ReadBudget  = 2_000 // notifications that it looks at
)

// Query says which part of an inbox is wanted.
type Query struct {
	UnreadOnly bool
	Limit      int       // at most so many; DefaultPage if it is not positive, MaxPage if it is above that
	After      uuid.UUID // only what comes after this one in the list; uuid.Nil is from the newest on
}

// Page is a part of an inbox.
type Page struct {
	Items []Notification
	Next  uuid.UUID // what Query.After takes for more; uuid.Nil: this is the end
}

// List returns what the principal was told of and may still see, newest first. Pages that follow
// one another neither skip nor repeat, whatever comes meanwhile.
//
// It looks at ReadBudget notifications at most, so that the page of somebody who lost access to
// very much may be short, even empty, and still have a Next.
func List(ctx context.Context, db pg.Querier, tenant, principal uuid.UUID, q Query) (Page, error) {
	limit := DefaultPage
	if q.Limit > 0 {
		limit = min(q.Limit, MaxPage)
	}
	page := Page{Items: make([]Notification, 0, limit)}
	after, chunk := q.After, limit+1
	for budget := ReadBudget; ; {
		rows, next, err := readRows(ctx, db, tenant, principal, q.UnreadOnly, after, min(chunk, budget))
		if err != nil {
			return Page{}, err
		}
		seen, err := visible(ctx, db, tenant, principal, rows)
		if err != nil {
			return Page{}, err
		}
		for i := range rows {
			if !seen[i] {
				continue
			}
			if len(page.Items) == limit {
				page.Next = page.Items[limit-1].ID
				return page, nil
			}
			page.Items = append(page.Items, rows[i])
		}
		if budget -= len(rows); next == uuid.Nil || len(rows) < chunk || budget == 0 {
			page.Next = next
			return page, nil
		}
		after, chunk = next, min(2*chunk, MaxPage+1)
	}
}

// scanBudget is how many rows are passed by, at most, in search of unread ones.
const scanBudget = 10_000

const (
	selectRows = `
SELECT n.activity_id, n.reasons, n.created_at, n.read_at, ` + pglog.Columns + `, NULL::uuid
FROM (
    SELECT n.activity_id, n.reasons, n.created_at, n.read_at FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $4
) AS n
` + joinActivity + `
ORDER BY n.activity_id DESC`

	// selectUnreadRows reads the key alone to find what is unread, and only as far as it must: a
	// CTE is read no further than it is asked for. Its last column is where it gave up, if it did.
	selectUnreadRows = `
WITH scanned AS MATERIALIZED (
    SELECT n.activity_id, n.read_at FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $5
), page AS MATERIALIZED (
    SELECT s.activity_id FROM scanned AS s WHERE s.read_at IS NULL LIMIT $4
)
SELECT n.activity_id, n.reasons, n.created_at, n.read_at, ` + pglog.Columns + `, stop.activity_id
FROM (SELECT) AS always
LEFT JOIN (
    SELECT n.* FROM page AS p
    CROSS JOIN LATERAL (
        SELECT * FROM fanfare.notifications AS n
        WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = p.activity_id LIMIT 1
    ) AS n
) AS n ON true
LEFT JOIN (
    SELECT s.activity_id FROM scanned AS s WHERE (SELECT count(*) FROM page) < $4 OFFSET $5 - 1 LIMIT 1
) AS stop ON true
` + joinActivity + `
ORDER BY n.activity_id DESC`

	// joinActivity looks each activity up by its primary key; the LIMIT keeps the planner from
	// reading them in bulk.
	joinActivity = `LEFT JOIN LATERAL (
    SELECT * FROM fanfare.activities AS a WHERE a.id = n.activity_id AND a.tenant_id = $1 LIMIT 1
) AS a ON true`
)

// readRows reads the next rows of an inbox, and says what to go on after; uuid.Nil: there are no
// more. Of a row whose activity the log does not hold any more, the activity is zero.
func readRows(
	ctx context.Context,
	db pg.Querier,
	tenant, principal uuid.UUID,
	unread bool,
	after uuid.UUID,
	limit int,
) (list []Notification, next uuid.UUID, err error) {
	if after == uuid.Nil {
		after = uuid.Max
	}
	statement, args := selectRows, []any{tenant, principal, after, int64(limit)}
	if unread {
		statement, args = selectUnreadRows, append(args, int64(scanBudget))
	}
	rows, err := db.Query(ctx, statement, args...)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("read the inbox: %w", err)
	}
	list = make([]Notification, 0, limit)
	var n Notification
	_, err = pgx.ForEachRow(rows, append(n.fields(), (*zeronull.UUID)(&next)), func() error {
		if n.ID != uuid.Nil {
			list = append(list, n)
		}
		n = Notification{}
		return nil
	})
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("read the inbox: %w", err)
	}
	if len(list) == limit {
		next = list[limit-1].ID
	}
	return list, next, nil
}

// fields returns where to scan a row and its activity to.
func (n *Notification) fields() []any {
	return append(
		[]any{(*zeronull.UUID)(&n.ID), (*zeronull.Int2)(&n.Reasons), (*zeronull.Timestamptz)(&n.CreatedAt), &n.ReadAt},
		pglog.ScanTargets(&n.Activity)...)
}

// visible says of which rows the principal may see the activity.
func visible(ctx context.Context, db pg.Querier, tenant, principal uuid.UUID, rows []Notification) ([]bool, error) {
	sightings := make([]watchers.Sighting, len(rows))
	for i := range rows {
		sightings[i] = watchers.SightingOf(&rows[i].Activity)
	}
	seen, err := watchers.Sees(ctx, db, tenant, principal, sightings)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		seen[i] = seen[i] && rows[i].Activity.ID != uuid.Nil
	}
	return seen, nil
}
