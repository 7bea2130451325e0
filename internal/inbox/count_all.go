package inbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Counts are the numbers of notifications in each state, MaxCount at most.
type Counts struct {
	Inbox, Unread, Unseen, Archived, Snoozed int
}

// countedStates are the states of Counts, in the order of its fields.
var countedStates = [...]State{InInbox, Unread, Unseen, Archived, Snoozed}

// stateTallies are a tally of each of countedStates.
type stateTallies [len(countedStates)]tally

// CountAll counts the notifications in each state as Count does in one. It runs one statement, and
// one that decides about permission, however many states there are: the newest MaxCount in each are
// read together, so that the counts are those of one moment. A state in which that does not suffice
// is counted further by itself.
func CountAll(ctx context.Context, db DB, principal activity.Principal) (Counts, error) {
	groups, tallies, err := readAllGroups(ctx, db, principal)
	if err != nil {
		return Counts{}, err
	}
	queries := make([]directory.AccessQuery, len(groups))
	for i := range groups {
		queries[i] = groups[i].query
	}
	allowed, err := directory.CanView(ctx, db, principal, queries)
	if err != nil {
		return Counts{}, err
	}
	var counts [len(countedStates)]int
	for i, state := range countedStates {
		t := &tallies[i]
		for n, g := range groups {
			if allowed[n] {
				t.count += g.counts[i]
			}
		}
		counts[i] = min(t.count, MaxCount)
		if !t.ends(t.rows) {
			if counts[i], err = countBelow(ctx, db, principal, state, *t); err != nil {
				return Counts{}, err
			}
		}
	}
	return Counts{counts[0], counts[1], counts[2], counts[3], counts[4]}, nil
}

// countEach is countNewest for all countedStates: the numbers and the lowest ids are one of each
// state. An activity is read once, whatever the number of its states.
func countEach() string {
	var newest, ends, marked, counts []string
	for i, state := range countedStates {
		ids, bit := fmt.Sprintf("newest.ids%d", i), 1<<i
		newest = append(newest, fmt.Sprintf("ARRAY(%s) AS ids%d", selectNewest(`n.activity_id`, state), i))
		ends = append(ends, fmt.Sprintf("cardinality(%[1]s), %[1]s[cardinality(%[1]s)]", ids))
		marked = append(marked, fmt.Sprintf("SELECT unnest(%s) AS id, %d AS state FROM newest", ids, bit))
		counts = append(counts, fmt.Sprintf("count(*) FILTER (WHERE m.states & %d <> 0)", bit))
	}
	return `
WITH newest AS MATERIALIZED (
    SELECT ` + strings.Join(newest, ", ") + `
), marked AS MATERIALIZED (
    SELECT u.id, bit_or(u.state) AS states FROM (` + strings.Join(marked, " UNION ALL ") + `) AS u GROUP BY u.id
)
SELECT ` + strings.Join(ends, ", ") + `,
       g.resource_id, g.owner_id, g.parent_id, g.visibility, g.own, g.counts
FROM newest
LEFT JOIN (
    SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility,
           a.actor_principal_id = $2 OR coalesce($2 = ANY (a.target_principal_ids), false) AS own,
           ARRAY[` + strings.Join(counts, ", ") + `] AS counts
    FROM marked AS m
    CROSS JOIN LATERAL (
        SELECT * FROM fanfare.activities AS a WHERE a.id = m.id AND a.tenant_id = $1 LIMIT 1
    ) AS a
    GROUP BY 1, 2, 3, 4, 5
) AS g ON true`
}

// stateGroup is an accessGroup with the number of notifications in each of countedStates.
type stateGroup struct {
	query  directory.AccessQuery
	counts []int
}

// readAllGroups reads the newest notifications in each of countedStates, in groups.
func readAllGroups(
	ctx context.Context, db pg.Batcher, principal activity.Principal,
) (groups []stateGroup, tallies stateTallies, err error) {
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	batch.Queue(countEach(), principal.TenantID, principal.PrincipalID, uuid.Max, int64(MaxCount), uuid.Nil).
		Query(func(result pgx.Rows) error {
			var g stateGroup
			var own *bool
			q := &g.query
			var targets []any
			for i := range tallies {
				targets = append(targets, &tallies[i].rows, (*zeronull.UUID)(&tallies[i].lowest))
			}
			targets = append(targets,
				(*zeronull.UUID)(&q.ResourceID), (*zeronull.UUID)(&q.OwnerID), (*zeronull.UUID)(&q.ParentID),
				(*zeronull.Text)(&q.Visibility), &own, &g.counts)
			_, err := pgx.ForEachRow(result, targets, func() error {
				if own != nil {
					if *own {
						q.ActorID = principal.PrincipalID
					}
					groups = append(groups, g)
				}
				g = stateGroup{}
				return nil
			})
			return err
		})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, stateTallies{}, fmt.Errorf("count notifications: %w", err)
	}
	return groups, tallies, nil
}
