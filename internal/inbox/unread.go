package inbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// MaxUnread is the maximum number of notifications that UnreadCount reads.
const MaxUnread = 10_000

// UnreadCount returns the number of unread notifications among the newest MaxUnread whose
// activities the principal may see now.
func UnreadCount(ctx context.Context, db pg.Querier, principal activity.Principal) (int, error) {
	groups, _, err := readUnread(ctx, db, countUnread, principal, uuid.Max, MaxUnread)
	if err != nil {
		return 0, err
	}
	allowed, err := directory.CanView(ctx, db, principal, accessQueries(groups))
	if err != nil {
		return 0, err
	}
	count := 0
	for i, g := range groups {
		if allowed[i] && !g.purged {
			count += g.count
		}
	}
	return count, nil
}

// The ids are read first, from the index alone and as an array, which the planner estimates to be
// short. An estimate for ten thousand lookups would start JIT compilation, which takes longer than
// the statement.
const (
	countUnread = `
SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own, count(*), NULL::uuid[]
FROM unnest(ARRAY(
    SELECT s.activity_id
    FROM (
        SELECT n.activity_id, n.read_at FROM fanfare.notifications AS n
        WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3
        ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
        LIMIT $4
    ) AS s
    WHERE s.read_at IS NULL
)) AS n(activity_id)` + groupActivities

	gatherUnread = `
SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own, count(*),
       array_agg(n.activity_id ORDER BY n.activity_id)
FROM unnest(ARRAY(
    SELECT n.activity_id FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3 AND n.read_at IS NULL
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $4
)) AS n(activity_id)` + groupActivities

	groupActivities = `
LEFT JOIN LATERAL (
    SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility,
           a.actor_principal_id = $2 OR coalesce(a.target_principal_id = $2, false) AS own
    FROM fanfare.activities AS a WHERE a.id = n.activity_id AND a.tenant_id = $1 LIMIT 1
) AS a ON true
GROUP BY a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own`
)

// unreadGroup is the unread notifications whose activities the same AccessQuery decides.
type unreadGroup struct {
	query  directory.AccessQuery
	purged bool // the log no longer contains the activities
	count  int
	ids    [][16]byte // ascending; nil for countUnread
	lowest uuid.UUID  // the first of ids
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
			q.TargetID = principal.PrincipalID
		}
		if len(g.ids) > 0 {
			g.lowest = g.ids[0]
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
