package inbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	counts, err := count(ctx, db, principal, state)
	if err != nil {
		return 0, err
	}
	return counts[0], nil
}

// Counts are the numbers of notifications in each state, MaxCount at most.
type Counts struct {
	Inbox, Unread, Unseen, Archived, Snoozed int
}

// CountAll counts the notifications in each state as Count does in one. It runs one statement, and
// one that decides about permission: the newest MaxCount in the inbox, archived and snoozed are
// read together, so that the counts are those of one moment. A state for which that does not
// suffice is counted further by itself, and so are notifications of resources that the directory
// does not contain.
func CountAll(ctx context.Context, db DB, principal activity.Principal) (Counts, error) {
	c, err := count(ctx, db, principal, InInbox, Unread, Unseen, Archived, Snoozed)
	if err != nil {
		return Counts{}, err
	}
	return Counts{Inbox: c[0], Unread: c[1], Unseen: c[2], Archived: c[3], Snoozed: c[4]}, nil
}

// count returns the numbers of notifications in states, in their order.
func count(ctx context.Context, db DB, principal activity.Principal, states ...State) ([]int, error) {
	viewer, tallies := directory.NewViewer(principal), make([]tally, len(states))
	if err := add(ctx, db, viewer, states, tallies, uuid.Max); err != nil {
		return nil, err
	}
	return finish(ctx, db, viewer, states, tallies)
}

// finish counts further in the states in which the tallies do not suffice.
func finish(
	ctx context.Context, db DB, viewer *directory.Viewer, states []State, tallies []tally,
) ([]int, error) {
	counts := make([]int, len(states))
	for i, state := range states {
		one := tallies[i : i+1]
		for !one[0].complete {
			if err := add(ctx, db, viewer, []State{state}, one, one[0].lowest); err != nil {
				return nil, err
			}
		}
		counts[i] = min(one[0].count, MaxCount)
	}
	return counts, nil
}

// tally is a count of the newest notifications in a state.
type tally struct {
	count    int       // of those that the principal may see
	rows     int       // all of them
	lowest   uuid.UUID // the oldest of them
	complete bool      // no older one counts
}

// add adds the newest notifications below an id to the tallies of states, MaxCount in each.
func add(
	ctx context.Context, db DB, viewer *directory.Viewer, states []State, tallies []tally, before uuid.UUID,
) error {
	newest, err := readGroups(ctx, db, viewer.Principal, states, before)
	if err != nil {
		return err
	}
	if newest.allowed, err = viewer.CanView(ctx, db, newest.queries()); err != nil {
		return err
	}
	if err := newest.decideRest(ctx, db, viewer, states, before); err != nil {
		return err
	}
	newest.addTo(tallies)
	return nil
}

// countNewest counts the newest notifications in states, in groups of those that one AccessQuery
// decides. It also returns for each state the number of notifications that have been read and the
// lowest id of them, in one row without a group if there are no notifications.
//
// One scan reads each state. If InInbox is one of them, no scan reads the states within it: counted
// in these are the notifications that the scan of the inbox has read. None is in two of the other
// states.
func countNewest(states []State) string {
	s := scansOf(states)
	return s.with + `
SELECT ` + s.ends + `, g.resource_id, g.visibility, g.party, g.counts
FROM (SELECT) AS always
LEFT JOIN (
    SELECT m.resource_id, m.visibility::text AS visibility, m.party, ARRAY[` + s.counts + `] AS counts
    FROM marked AS m
    GROUP BY m.resource_id, m.visibility, m.party
) AS g ON true`
}

// countActivities counts those of the newest notifications that have one of the resources $6 with
// the visibility $7 and whose principal is not a party, as countNewest does, in groups by what
// their activities say: that decides if the directory does not contain the resource. Each activity
// is found by the primary key: the LIMIT rules out plans that scan a partition. IS TRUE rules out
// joins of the notifications with the resources.
func countActivities(states []State) string {
	s := scansOf(states)
	return s.with + `
SELECT a.resource_id, a.owner_id, a.parent_id, a.visibility,
       ARRAY[` + s.counts + `]
FROM marked AS m
CROSS JOIN ` + pglog.ByID("m.id", "$1") + `
WHERE NOT m.party
  AND ((m.resource_id, m.visibility::text) IN (SELECT * FROM unnest($6::uuid[], $7::text[]))) IS TRUE
GROUP BY 1, 2, 3, 4`
}

// scans are parts of a statement that counts the newest notifications in states.
type scans struct {
	with   string // a WITH clause with "marked": the notifications, with a bit for each state
	ends   string // for each state the number of notifications that have been read, and the lowest id
	counts string // aggregates: the number of rows "m" in each state
}

func scansOf(states []State) scans {
	var ctes, marked, ends, counts []string
	for i, state := range states {
		source := fmt.Sprintf("s%d", i)
		if outer := slices.Index(states, InInbox); outer >= 0 && state.within() != "" {
			source = fmt.Sprintf("s%d", outer)
		} else {
			columns := `n.activity_id AS id, n.resource_id, n.visibility, n.party, ` + marks(states, i) + ` AS states`
			ctes = append(ctes, source+` AS MATERIALIZED (`+selectNewest(columns, state)+`
)`)
			marked = append(marked, `SELECT * FROM `+source)
		}
		number := `(SELECT count(*) FROM ` + source + `)`
		ends = append(ends, number+`, (SELECT s.id FROM `+source+` AS s OFFSET greatest(`+number+` - 1, 0) LIMIT 1)`)
		counts = append(counts, fmt.Sprintf("count(*) FILTER (WHERE m.states & %d <> 0)", 1<<i))
	}
	return scans{
		with: `
WITH ` + strings.Join(ctes, ", ") + `, marked AS (
    ` + strings.Join(marked, " UNION ALL ") + `
)`,
		ends: strings.Join(ends, ", "), counts: strings.Join(counts, ", "),
	}
}

// marks returns an expression that has a bit for each of the states in which a notification n is
// that has been read in one of them.
func marks(states []State, read int) string {
	expression := fmt.Sprint(1 << read)
	for i, state := range states {
		if condition := state.within(); states[read] == InInbox && condition != "" {
			expression += fmt.Sprintf(" | CASE WHEN %s THEN %d ELSE 0 END", condition, 1<<i)
		}
	}
	return expression
}

// accessGroup has the numbers of notifications, by state, whose activities one AccessQuery decides.
type accessGroup struct {
	subject
	query  directory.AccessQuery
	counts []int
}

// end is where reading the notifications in a state has ended: their number, and the oldest one.
type end struct {
	rows   int
	lowest uuid.UUID
}

// newestGroups are the newest notifications in states, in groups.
type newestGroups struct {
	groups  []accessGroup
	allowed []bool // whether the viewer may see the activities of each group
	ends    []end  // of each state
}

// queries returns what decides which groups the principal may see.
func (g *newestGroups) queries() []directory.AccessQuery {
	queries := make([]directory.AccessQuery, len(g.groups))
	for i := range g.groups {
		queries[i] = g.groups[i].query
	}
	return queries
}

// decideRest decides by the activities about the groups whose resources the directory lacks.
func (g *newestGroups) decideRest(
	ctx context.Context, db DB, viewer *directory.Viewer, states []State, before uuid.UUID,
) error {
	var resources [][16]byte
	var visibilities []string
	for i := range g.groups {
		if group := &g.groups[i]; !g.allowed[i] && viewer.Lacks(group.resource) {
			resources, visibilities = append(resources, group.resource), append(visibilities, group.visibility)
		}
	}
	if len(resources) == 0 {
		return nil
	}
	var rest newestGroups
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	batch.Queue(countActivities(states), append(countArguments(viewer.Principal, before), resources, visibilities)...).
		Query(func(found pgx.Rows) error {
			var group accessGroup
			q := &group.query
			_, err := pgx.ForEachRow(found, []any{
				(*zeronull.UUID)(&q.ResourceID), (*zeronull.UUID)(&q.OwnerID), (*zeronull.UUID)(&q.ParentID),
				(*zeronull.Text)(&q.Visibility), &group.counts,
			}, func() error {
				rest.groups = append(rest.groups, group)
				group = accessGroup{}
				return nil
			})
			return err
		})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("count notifications: %w", err)
	}
	allowed, err := viewer.CanView(ctx, db, rest.queries())
	g.groups, g.allowed = append(g.groups, rest.groups...), append(g.allowed, allowed...)
	return err
}

// addTo adds the notifications to the tallies of their states.
func (g *newestGroups) addTo(tallies []tally) {
	for i := range tallies {
		t := &tallies[i]
		for n := range g.groups {
			if g.allowed[n] {
				t.count += g.groups[n].counts[i]
			}
		}
		t.rows, t.lowest = t.rows+g.ends[i].rows, g.ends[i].lowest
		t.complete = g.ends[i].rows < MaxCount || t.count >= MaxCount || t.rows >= maxScanned
	}
}

// readGroups reads the newest notifications in states below an id, MaxCount in each, in groups.
func readGroups(
	ctx context.Context, db pg.Batcher, principal activity.Principal, states []State, before uuid.UUID,
) (found newestGroups, err error) {
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	queueGroups(batch, principal, states, before, &found)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return newestGroups{}, fmt.Errorf("count notifications: %w", err)
	}
	return found, nil
}

// countArguments returns the arguments of countNewest, and the first of countActivities.
func countArguments(principal activity.Principal, before uuid.UUID) []any {
	return []any{
		[16]byte(principal.TenantID), [16]byte(principal.PrincipalID), [16]byte(before), int64(MaxCount), [16]byte{},
	}
}

// queueGroups queues the statement of readGroups, whose result becomes found. It needs
// pglog.PinOrder.
func queueGroups(
	batch *pgx.Batch, principal activity.Principal, states []State, before uuid.UUID, found *newestGroups,
) {
	found.ends = make([]end, len(states))
	batch.Queue(countNewest(states), countArguments(principal, before)...).Query(func(result pgx.Rows) error {
		var g accessGroup
		var party *bool
		var targets []any
		for i := range found.ends {
			targets = append(targets, &found.ends[i].rows, (*zeronull.UUID)(&found.ends[i].lowest))
		}
		targets = append(targets,
			(*zeronull.UUID)(&g.resource), (*zeronull.Text)(&g.visibility), &party, &g.counts)
		_, err := pgx.ForEachRow(result, targets, func() error {
			if party != nil {
				g.party = *party
				g.query = g.accessQuery(principal)
				found.groups = append(found.groups, g)
			}
			g = accessGroup{}
			return nil
		})
		return err
	})
}
