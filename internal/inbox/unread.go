package inbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers"
)

// MaxUnread is how many notifications UnreadCount looks at.
const MaxUnread = 10_000

// UnreadCount returns how many of the newest MaxUnread notifications are unread and may still be
// seen.
func UnreadCount(ctx context.Context, db pg.Querier, tenant, principal uuid.UUID) (int, error) {
	groups, _, err := readUnread(ctx, db, countUnread, tenant, principal, uuid.Max, MaxUnread)
	if err != nil {
		return 0, err
	}
	seen, err := watchers.Sees(ctx, db, tenant, principal, sightings(groups))
	if err != nil {
		return 0, err
	}
	count := 0
	for i, g := range groups {
		if seen[i] && !g.gone {
			count += g.count
		}
	}
	return count, nil
}

// The ids are read first, from the key alone and as one array, which the planner takes for a short
// one: an estimate of what the look-ups after it cost for ten thousand would bring JIT in, which
// takes longer than they do.
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
SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own, count(*), array_agg(n.activity_id ORDER BY n.activity_id)
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

// unread is what is unread of one resource and may be seen or not as one.
type unread struct {
	sighting watchers.Sighting
	gone     bool // the log does not hold the activities any more
	count    int
	ids      [][16]byte // in their order; only gatherUnread has them
	last     uuid.UUID  // the lowest of them
}

// readUnread reads the next unread rows, newest first, by what decides about them. rows is how many
// there are.
func readUnread(
	ctx context.Context,
	db pg.Querier,
	statement string,
	tenant, principal, after uuid.UUID,
	limit int,
) (groups []unread, rows int, err error) {
	result, err := db.Query(ctx, statement, tenant, principal, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("read unread notifications: %w", err)
	}
	groups, err = pgx.CollectRows(result, func(row pgx.CollectableRow) (unread, error) {
		var g unread
		var own *bool
		s := &g.sighting
		err := row.Scan(
			(*zeronull.UUID)(&s.ResourceID),
			(*zeronull.UUID)(&s.OwnerID),
			(*zeronull.UUID)(&s.ParentID),
			(*zeronull.Text)(&s.Visibility),
			&own,
			&g.count,
			&g.ids,
		)
		g.gone = own == nil
		if own != nil && *own {
			s.TargetID = principal
		}
		if len(g.ids) > 0 {
			g.last = g.ids[0]
		}
		rows += g.count
		return g, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read unread notifications: %w", err)
	}
	return groups, rows, nil
}

func sightings(groups []unread) []watchers.Sighting {
	list := make([]watchers.Sighting, len(groups))
	for i := range groups {
		list[i] = groups[i].sighting
	}
	return list
}
