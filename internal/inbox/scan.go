package inbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers"
)

// DB is a *pgxpool.Pool or a *pgx.Conn.
type DB = feed.DB

// Selection selects notifications of one principal. The zero value selects its inbox.
type Selection struct {
	State   State
	Filter  activity.Filter  // of the activities
	Reasons watchers.Reasons // any of these; 0 selects all
}

// Validate returns an *invalid.Error if the state or the filter is invalid.
func (s Selection) Validate() error {
	if err := s.State.validate(); err != nil {
		return err
	}
	return s.Filter.Validate()
}

// tested reports whether notifications in the state and of the times may not be selected.
func (s Selection) tested() bool { return s.Filter != (activity.Filter{}) || s.Reasons != 0 }

// newestIDs selects the ids of the newest notifications in a state below the id $3 and not below
// $5, at most $4. It reads the primary key alone, which includes the states, and so visits no row
// in another: a million of them take some 0.1 s. It needs pglog.PinOrder.
//
// The ids are an array, which the planner estimates to be short: an estimate for thousands of
// lookups would start JIT compilation, which takes longer than the statement.
func newestIDs(state State) string {
	return `unnest(ARRAY(
    SELECT n.activity_id FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3 AND n.activity_id >= $5
      AND ` + state.condition() + `
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $4
)) AS u(activity_id)`
}

// The rows of ids, and their activities by primary key. The LIMIT rules out plans that scan a
// table.
const (
	joinRows = `
CROSS JOIN LATERAL (
    SELECT * FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = u.activity_id LIMIT 1
) AS n`
	joinActivities = `
LEFT JOIN LATERAL (
    SELECT * FROM fanfare.activities AS a WHERE a.id = u.activity_id AND a.tenant_id = $1 LIMIT 1
) AS a ON true`
)

// selectNewest selects the newest rows in a state, with the headers of their activities.
func selectNewest(state State) string {
	return `
SELECT ` + rowColumns + `, ` + headerColumns + `
FROM ` + newestIDs(state) + joinRows + joinActivities + `
ORDER BY u.activity_id DESC`
}

// selectByID selects the rows of the ids $3 that are not above $4, as selectNewest does.
const selectByID = `
SELECT ` + rowColumns + `, ` + headerColumns + `
FROM unnest((SELECT $3::uuid[])) AS u(activity_id)` + joinRows + joinActivities + `
WHERE u.activity_id <= $4
ORDER BY u.activity_id DESC`

// part is a part of an inbox, newest first.
type part struct {
	rows   []Notification // without those of other reasons and those whose activities are purged; with headers only
	read   int            // the number of rows, all included
	newest uuid.UUID      // of all rows
	last   uuid.UUID      // the oldest of all rows
}

// scan reads the newest rows below an id that are in the state of a selection and within the times
// of its filter, at most limit. It tests nothing else of the filter.
func scan(
	ctx context.Context,
	db pg.Batcher,
	principal activity.Principal,
	s Selection,
	before uuid.UUID,
	limit int,
) (part, error) {
	from, below := pglog.IDRange(s.Filter)
	if before != uuid.Nil && less(before, below) {
		below = before
	}
	p := part{rows: make([]Notification, 0, min(limit, MaxPage+1))}
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	batch.Queue(selectNewest(s.State), principal.TenantID, principal.PrincipalID, below, int64(limit), from).
		Query(func(rows pgx.Rows) error { return p.collect(rows, s.Reasons) })
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return part{}, fmt.Errorf("read the inbox: %w", err)
	}
	return p, nil
}

// scanIDs reads the rows of ids that are not above upTo.
func scanIDs(
	ctx context.Context, db pg.Querier, principal activity.Principal, ids []uuid.UUID, upTo uuid.UUID,
) (part, error) {
	rows, err := db.Query(ctx, selectByID, principal.TenantID, principal.PrincipalID, pg.UUIDs(ids), upTo)
	if err != nil {
		return part{}, fmt.Errorf("read the inbox: %w", err)
	}
	p := part{}
	if err := p.collect(rows, 0); err != nil {
		return part{}, fmt.Errorf("read the inbox: %w", err)
	}
	return p, nil
}

// collect adds the rows that have any of the reasons, or all for 0.
func (p *part) collect(rows pgx.Rows, reasons watchers.Reasons) error {
	var n Notification
	targets := append(n.rowTargets(), headerTargets(&n.Activity)...)
	_, err := pgx.ForEachRow(rows, targets, func() error {
		if p.read++; p.read == 1 {
			p.newest = n.ID
		}
		p.last = n.ID
		if n.Activity.ID != uuid.Nil && (reasons == 0 || n.Reasons.Has(reasons)) {
			p.rows = append(p.rows, n)
		}
		n = Notification{}
		return nil
	})
	return err
}

// headers returns the headers of the activities.
func (p *part) headers() []activity.Activity {
	list := make([]activity.Activity, len(p.rows))
	for i := range p.rows {
		list[i] = p.rows[i].Activity
	}
	return list
}
