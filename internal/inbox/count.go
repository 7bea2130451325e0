package inbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// The bounds of a count.
const (
	MaxCount   = 10_000  // at which counting stops
	maxScanned = 200_000 // notifications that it reads, those that the principal may not see included
)

// Count returns the number of notifications in a state whose activities the principal may see now,
// MaxCount at most. It is exact below that, whatever the age of the notifications and the number of
// those in other states, unless maxScanned newer ones are in the state that the principal may not
// see. The state must be valid.
func Count(ctx context.Context, db DB, principal activity.Principal, state State) (int, error) {
	return countBelow(ctx, db, principal, state, tally{lowest: uuid.Max})
}

// tally is a count of the newest notifications in a state.
type tally struct {
	count  int       // of those that the principal may see
	rows   int       // all of them
	lowest uuid.UUID // the oldest of them
}

// ends reports whether no older notification in the state counts.
func (t tally) ends(rows int) bool {
	return rows < MaxCount || t.count >= MaxCount || t.rows >= maxScanned
}

// countBelow continues a count.
func countBelow(
	ctx context.Context, db DB, principal activity.Principal, state State, t tally,
) (int, error) {
	for {
		groups, rows, lowest, err := readGroups(ctx, db, principal, state, t.lowest, MaxCount)
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
			if allowed[i] {
				t.count += g.count
			}
		}
		t.rows, t.lowest = t.rows+rows, lowest
		if t.ends(rows) {
			return min(t.count, MaxCount), nil
		}
	}
}

// countNewest counts the activities of the newest notifications in a state, in groups of those that
// one AccessQuery decides. It also returns the number of notifications and the lowest id, in one
// row without a group if there are no activities. Each activity is found by the primary key: the
// LIMIT rules out plans that scan a partition.
func countNewest(state State) string {
	return `
WITH newest AS MATERIALIZED (
    SELECT ARRAY(` + selectNewest(`n.activity_id`, state) + `) AS ids
)
SELECT cardinality(newest.ids), newest.ids[cardinality(newest.ids)],
       g.resource_id, g.owner_id, g.parent_id, g.visibility, g.own, g.count
FROM newest
LEFT JOIN (
    SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility,
           a.actor_principal_id = $2 OR coalesce($2 = ANY (a.target_principal_ids), false) AS own, count(*)
    FROM unnest((SELECT ids FROM newest)) AS u(id)
    CROSS JOIN LATERAL (
        SELECT * FROM fanfare.activities AS a WHERE a.id = u.id AND a.tenant_id = $1 LIMIT 1
    ) AS a
    GROUP BY 1, 2, 3, 4, 5
) AS g ON true`
}

// accessGroup is a number of notifications whose activities one AccessQuery decides.
type accessGroup struct {
	query directory.AccessQuery
	count int
}

// readGroups reads the newest notifications in a state below an id, at most limit, in groups. rows
// is the number of notifications, and lowest the oldest of them.
func readGroups(
	ctx context.Context,
	db pg.Batcher,
	principal activity.Principal,
	state State,
	before uuid.UUID,
	limit int,
) (groups []accessGroup, rows int, lowest uuid.UUID, err error) {
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	batch.Queue(countNewest(state), principal.TenantID, principal.PrincipalID, before, int64(limit), uuid.Nil).
		Query(func(result pgx.Rows) error {
			var g accessGroup
			var own *bool
			var count *int
			q := &g.query
			targets := []any{
				&rows, (*zeronull.UUID)(&lowest),
				(*zeronull.UUID)(&q.ResourceID), (*zeronull.UUID)(&q.OwnerID), (*zeronull.UUID)(&q.ParentID),
				(*zeronull.Text)(&q.Visibility), &own, &count,
			}
			_, err := pgx.ForEachRow(result, targets, func() error {
				if count != nil {
					g.count = *count
					if *own {
						q.ActorID = principal.PrincipalID
					}
					groups = append(groups, g)
				}
				g = accessGroup{}
				return nil
			})
			return err
		})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, 0, uuid.Nil, fmt.Errorf("count notifications: %w", err)
	}
	return groups, rows, lowest, nil
}
