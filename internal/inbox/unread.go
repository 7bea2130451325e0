package inbox

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// The bounds of UnreadCount.
const (
	MaxUnread  = 10_000  // at which counting stops
	maxScanned = 200_000 // unread notifications that it reads, those that the principal may not see included
)

// UnreadCount returns the number of unread notifications whose activities the principal may see
// now, MaxUnread at most. It is exact below that, whatever the age of the notifications and the
// number of read ones, unless maxScanned newer ones are unread that the principal may not see.
func UnreadCount(ctx context.Context, db pg.Querier, principal activity.Principal) (int, error) {
	count, before := 0, uuid.Max
	for scanned := 0; ; {
		groups, rows, err := readUnread(ctx, db, countUnread, principal, before, MaxUnread)
		if err != nil {
			return 0, err
		}
		allowed, err := directory.CanView(ctx, db, principal, accessQueries(groups))
		if err != nil {
			return 0, err
		}
		for i, g := range groups {
			if allowed[i] && !g.purged {
				count += g.count
			}
		}
		scanned += rows
		if rows < MaxUnread || count >= MaxUnread || scanned >= maxScanned {
			return min(count, MaxUnread), nil
		}
		before = lowest(groups, before)
	}
}

// lowest returns the lowest id of the groups, or before if they have none below it.
func lowest(groups []unreadGroup, before uuid.UUID) uuid.UUID {
	for _, g := range groups {
		if bytes.Compare(g.ids[0][:], before[:]) < 0 {
			before = g.ids[0]
		}
	}
	return before
}

// The ids are read first, from the primary key alone, which includes read_at: a million read
// notifications take some 0.1 s. They are an array, which the planner estimates to be short: an
// estimate for ten thousand lookups would start JIT compilation, which takes longer than the
// statement.
const (
	// countUnread returns of the ids of a group only the lowest.
	countUnread = `
SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own, count(*),
       (array_agg(u.activity_id ORDER BY u.activity_id))[1:1]
FROM ` + newestUnread + groupActivities

	gatherUnread = `
SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own, count(*),
       array_agg(u.activity_id ORDER BY u.activity_id)
FROM ` + newestUnread + groupActivities

	newestUnread = `unnest(ARRAY(
    SELECT n.activity_id FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3 AND n.read_at IS NULL
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $4
)) AS u(activity_id)`

	groupActivities = `
LEFT JOIN LATERAL (
    SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility,
           a.actor_principal_id = $2 OR coalesce($2 = ANY (a.target_principal_ids), false) AS own
    FROM fanfare.activities AS a WHERE a.id = u.activity_id AND a.tenant_id = $1 LIMIT 1
) AS a ON true
GROUP BY a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own`
)

// unreadGroup is the unread notifications whose activities the same AccessQuery decides.
type unreadGroup struct {
	query  directory.AccessQuery
	purged bool // the log no longer contains the activities
	count  int
	ids    [][16]byte // ascending; only the lowest for countUnread
}

// readUnread reads the newest limit unread notifications below the id before, in groups. rows is
// the number of notifications.
func readUnread(
	ctx context.Context,
	db pg.Querier,
	statement string,
	principal activity.Principal,
	before uuid.UUID,
	limit int,
) (groups []unreadGroup, rows int, err error) {
	result, err := db.Query(ctx, statement, principal.TenantID, principal.PrincipalID, before, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("read unread notifications: %w", err)
	}
	groups, err = pgx.CollectRows(result, func(row pgx.CollectableRow) (unreadGroup, error) {
		var g unreadGroup
		var own *bool
		q := &g.query
		err := row.Scan(
			(*zeronull.UUID)(&q.ResourceID), (*zeronull.UUID)(&q.OwnerID), (*zeronull.UUID)(&q.ParentID),
			(*zeronull.Text)(&q.Visibility), &own, &g.count, &g.ids,
		)
		g.purged = own == nil
		if own != nil && *own {
			q.ActorID = principal.PrincipalID
		}
		rows += g.count
		return g, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read unread notifications: %w", err)
	}
	return groups, rows, nil
}

func accessQueries(groups []unreadGroup) []directory.AccessQuery {
	queries := make([]directory.AccessQuery, len(groups))
	for i := range groups {
		queries[i] = groups[i].query
	}
	return queries
}
