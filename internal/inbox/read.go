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
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Notification is an inbox row with its activity.
type Notification struct {
	ID        uuid.UUID // of the activity
	Reasons   watchers.Reasons
	CreatedAt time.Time
	ReadAt    *time.Time // nil if unread
	Activity  activity.Activity
}

// The bounds of List.
const (
	DefaultPage = 50    // notifications of a page without a limit
	MaxPage     = 200   // maximum number of notifications of a page
	ReadBudget  = 2_000 // maximum number of notifications that List reads
)

// Query selects part of an inbox.
type Query struct {
	UnreadOnly bool
	Limit      int       // maximum number of notifications; DefaultPage if not positive, MaxPage if above it
	After      uuid.UUID // only notifications older than this one; uuid.Nil selects the first page
}

// Page is part of an inbox.
type Page struct {
	Items []Notification
	Next  uuid.UUID // Query.After of the next page; uuid.Nil after the last
}

// List returns the notifications whose activities the principal may see now, newest first.
// Consecutive pages neither skip nor repeat a notification, whatever is added meanwhile.
//
// List reads at most ReadBudget notifications. A page may therefore have fewer notifications than
// its limit, even none, and still have a Next, if the principal has lost access to many activities.
func List(ctx context.Context, db pg.Querier, principal activity.Principal, q Query) (Page, error) {
	limit := DefaultPage
	if q.Limit > 0 {
		limit = min(q.Limit, MaxPage)
	}
	page := Page{Items: make([]Notification, 0, limit)}
	after, chunk := q.After, limit+1
	for budget := ReadBudget; ; {
		part := Query{UnreadOnly: q.UnreadOnly, Limit: min(chunk, budget), After: after}
		rows, next, err := readRows(ctx, db, principal, part)
		if err != nil {
			return Page{}, err
		}
		allowed, err := canView(ctx, db, principal, rows)
		if err != nil {
			return Page{}, err
		}
		for i := range rows {
			if !allowed[i] {
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

const (
	selectRows = `
SELECT n.activity_id, n.reasons, n.created_at, n.read_at, ` + pglog.Columns + `
FROM (
    SELECT n.activity_id, n.reasons, n.created_at, n.read_at FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $4
) AS n
` + joinActivity + `
ORDER BY n.activity_id DESC`

	// selectUnreadRows finds unread rows in the key alone, whatever the number of read ones before
	// them, and visits no row of a read one.
	selectUnreadRows = `
SELECT n.activity_id, n.reasons, n.created_at, n.read_at, ` + pglog.Columns + `
FROM ` + newestUnread + `
CROSS JOIN LATERAL (
    SELECT * FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = u.activity_id LIMIT 1
) AS n
` + joinActivity + `
ORDER BY n.activity_id DESC`

	// joinActivity reads each activity by its primary key; the LIMIT rules out a plan that scans
	// them.
	joinActivity = `LEFT JOIN LATERAL (
    SELECT * FROM fanfare.activities AS a WHERE a.id = n.activity_id AND a.tenant_id = $1 LIMIT 1
) AS a ON true`
)

// readRows reads the notifications that a query selects. Its limit is exact, not bounded. next is
// the id after which reading continues, or uuid.Nil at the end of the inbox. The activity of a
// notification is zero if the log no longer contains it.
func readRows(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	q Query,
) (list []Notification, next uuid.UUID, err error) {
	if q.After == uuid.Nil {
		q.After = uuid.Max
	}
	statement := selectRows
	if q.UnreadOnly {
		statement = selectUnreadRows
	}
	rows, err := db.Query(ctx, statement, principal.TenantID, principal.PrincipalID, q.After, int64(q.Limit))
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("read the inbox: %w", err)
	}
	list = make([]Notification, 0, q.Limit)
	var n Notification
	_, err = pgx.ForEachRow(rows, n.fields(), func() error {
		list = append(list, n)
		n = Notification{}
		return nil
	})
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("read the inbox: %w", err)
	}
	if len(list) == q.Limit {
		next = list[q.Limit-1].ID
	}
	return list, next, nil
}

// fields returns the scan targets of a row and its activity.
func (n *Notification) fields() []any {
	return append(
		[]any{(*zeronull.UUID)(&n.ID), (*zeronull.Int2)(&n.Reasons), (*zeronull.Timestamptz)(&n.CreatedAt), &n.ReadAt},
		pglog.ScanTargets(&n.Activity)...)
}

// canView reports for each notification whether the log contains its activity and the principal may
// see it now.
func canView(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	list []Notification,
) ([]bool, error) {
	queries := make([]directory.AccessQuery, len(list))
	for i := range list {
		queries[i] = directory.AccessQueryFor(&list[i].Activity)
	}
	allowed, err := directory.CanView(ctx, db, principal, queries)
	if err != nil {
		return nil, err
	}
	for i := range list {
		allowed[i] = allowed[i] && list[i].Activity.ID != uuid.Nil
	}
	return allowed, nil
}
