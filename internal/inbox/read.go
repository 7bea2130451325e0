package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/watchers"
)

// ErrNotFound says that the principal has no such notification, or may not see its activity any more.
var ErrNotFound = errors.New("notification not found")

// Querier runs statements: a *pgxpool.Pool, a *pgx.Conn or a pgx.Tx.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

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
	ReadBudget  = 2_000 // rows that it looks at
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

// List returns what the principal was told of and may still see, newest first. Pages that follow one another neither skip nor
// repeat, whatever comes meanwhile.
//
// It looks at ReadBudget rows at most, so that the page of somebody who lost access to very much may be short, even empty, and
// still have a Next.
func List(ctx context.Context, db Querier, tenant, principal uuid.UUID, q Query) (Page, error) {
	limit := DefaultPage
	if q.Limit > 0 {
		limit = min(q.Limit, MaxPage)
	}
	page := Page{Items: make([]Notification, 0, limit)}
	after, chunk := q.After, limit+1
	for budget := ReadBudget; ; {
		chunk = min(chunk, budget)
		rows, err := readRows(ctx, db, tenant, principal, q.UnreadOnly, after, chunk)
		if err != nil {
			return Page{}, err
		}
		visible, err := visible(ctx, db, tenant, principal, rows)
		if err != nil {
			return Page{}, err
		}
		for i := range rows {
			if !visible[i] {
				continue
			}
			if len(page.Items) == limit {
				page.Next = page.Items[limit-1].ID
				return page, nil
			}
			page.Items = append(page.Items, rows[i])
		}
		if len(rows) < chunk {
			return page, nil
		}
		after = rows[len(rows)-1].ID
		if budget -= chunk; budget == 0 {
			page.Next = after
			return page, nil
		}
		chunk *= 2
	}
}

const (
	selectRows = `
SELECT n.activity_id, n.reasons, n.created_at, n.read_at, ` + activity.Columns + `
FROM (
    SELECT n.activity_id, n.reasons, n.created_at, n.read_at FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $4
) AS n
` + joinActivity + `
ORDER BY n.activity_id DESC`

	selectUnreadRows = `
SELECT n.activity_id, n.reasons, n.created_at, n.read_at, ` + activity.Columns + `
FROM (
    SELECT n.activity_id, n.reasons, n.created_at, n.read_at FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3 AND n.read_at IS NULL
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $4
) AS n
` + joinActivity + `
ORDER BY n.activity_id DESC`

	// joinActivity looks each activity up by its primary key; the LIMIT keeps the planner from reading them in bulk.
	joinActivity = `LEFT JOIN LATERAL (
    SELECT * FROM fanfare.activities AS a WHERE a.id = n.activity_id AND a.tenant_id = $1 LIMIT 1
) AS a ON true`
)

// readRows reads the next rows of an inbox. Of one whose activity the log does not hold any more, the activity is zero.
func readRows(ctx context.Context, db Querier, tenant, principal uuid.UUID, unread bool, after uuid.UUID, limit int) ([]Notification, error) {
	if after == uuid.Nil {
		after = uuid.Max
	}
	statement := selectRows
	if unread {
		statement = selectUnreadRows
	}
	rows, err := db.Query(ctx, statement, tenant, principal, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanNotification)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	return list, nil
}

func scanNotification(row pgx.CollectableRow) (Notification, error) {
	var n Notification
	return n, row.Scan(append([]any{(*zeronull.UUID)(&n.ID), (*int16)(&n.Reasons), &n.CreatedAt, &n.ReadAt}, n.Activity.Fields()...)...)
}

// visible says of which rows the principal may see the activity.
func visible(ctx context.Context, db Querier, tenant, principal uuid.UUID, rows []Notification) ([]bool, error) {
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
