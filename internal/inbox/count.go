package inbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// The bounds of a count.
const (
	MaxCount   = 10_000  // at which counting stops
	maxScanned = 200_000 // notifications that it reads, those that the principal may not see included
)

// Counts are the numbers of notifications in each state, MaxCount at most.
type Counts struct {
	Inbox, Unread, Unseen, Archived, Snoozed int
}

// CountAll counts the notifications in each state as Count does in one.
func CountAll(ctx context.Context, db DB, principal activity.Principal) (c Counts, err error) {
	for _, each := range []struct {
		state State
		count *int
	}{
		{InInbox, &c.Inbox}, {Unread, &c.Unread}, {Unseen, &c.Unseen}, {Archived, &c.Archived}, {Snoozed, &c.Snoozed},
	} {
		if *each.count, err = Count(ctx, db, principal, each.state); err != nil {
			return Counts{}, err
		}
	}
	return c, nil
}

// Count returns the number of notifications in a state whose activities the principal may see now,
// MaxCount at most. It is exact below that, whatever the age of the notifications and the number of
// those in other states, unless maxScanned newer ones are in the state that the principal may not
// see. The state must be valid.
func Count(ctx context.Context, db DB, principal activity.Principal, state State) (int, error) {
	count, before := 0, uuid.Max
	for scanned := 0; ; {
		groups, rows, err := readGroups(ctx, db, principal, state, before, MaxCount)
		if err != nil {
			return 0, err
		}
		queries := make([]directory.AccessQuery, len(groups))
		for i := range groups {
			queries[i] = groups[i].query
		}
		allowed, err := directory.CanView(ctx, db, principal, queries)
		if err != nil {
			return 0, err
		}
		for i, g := range groups {
			if allowed[i] && !g.purged {
				count += g.count
			}
			if less(g.lowest, before) {
				before = g.lowest
			}
		}
		scanned += rows
		if rows < MaxCount || count >= MaxCount || scanned >= maxScanned {
			return min(count, MaxCount), nil
		}
	}
}

// countNewest counts the newest notifications in a state, in groups of the activities that one
// AccessQuery decides.
func countNewest(state State) string {
	return `
SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own, count(*),
       (array_agg(u.activity_id ORDER BY u.activity_id))[1]
FROM ` + newestIDs(state) + `
LEFT JOIN LATERAL (
    SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility,
           a.actor_principal_id = $2 OR coalesce($2 = ANY (a.target_principal_ids), false) AS own
    FROM fanfare.activities AS a WHERE a.id = u.activity_id AND a.tenant_id = $1 LIMIT 1
) AS a ON true
GROUP BY a.resource_id, a.owner_id, a.parent_id, a.visibility, a.own`
}

// accessGroup is a number of notifications whose activities one AccessQuery decides.
type accessGroup struct {
	query  directory.AccessQuery
	purged bool // the log no longer contains the activities
	count  int
	lowest uuid.UUID
}

// readGroups reads the newest notifications in a state below an id, at most limit, in groups. rows
// is the number of notifications.
func readGroups(
	ctx context.Context,
	db DB,
	principal activity.Principal,
	state State,
	before uuid.UUID,
	limit int,
) (groups []accessGroup, rows int, err error) {
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	batch.Queue(countNewest(state), principal.TenantID, principal.PrincipalID, before, int64(limit), uuid.Nil).
		Query(func(result pgx.Rows) error {
			groups, err = pgx.CollectRows(result, func(row pgx.CollectableRow) (accessGroup, error) {
				g, err := scanAccessGroup(row, principal)
				rows += g.count
				return g, err
			})
			return err
		})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, 0, fmt.Errorf("count notifications: %w", err)
	}
	return groups, rows, nil
}

func scanAccessGroup(row pgx.CollectableRow, principal activity.Principal) (g accessGroup, err error) {
	var own *bool
	q := &g.query
	err = row.Scan(
		(*zeronull.UUID)(&q.ResourceID), (*zeronull.UUID)(&q.OwnerID), (*zeronull.UUID)(&q.ParentID),
		(*zeronull.Text)(&q.Visibility), &own, &g.count, (*[16]byte)(&g.lowest),
	)
	g.purged = own == nil
	if own != nil && *own {
		q.ActorID = principal.PrincipalID
	}
	return g, err
}
