package inbox

import (
	"bytes"
	"context"
	"fmt"
	"slices"

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

// selectNewest selects the given columns of the newest notifications in a state below the id $3 and
// not below $5, at most $4. It reads nothing but the index of the primary key, and so visits no row
// in another state: a million of them take some 0.1 s. It needs pglog.PinOrder.
func selectNewest(columns string, state State) string {
	return `
    SELECT ` + columns + ` FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id < $3 AND n.activity_id >= $5
      AND ` + state.condition() + `
    ORDER BY n.tenant_id DESC, n.principal_id DESC, n.activity_id DESC
    LIMIT $4`
}

// selectByID selects the rows of the ids $3 that are not above $4. Each is found by the key: the
// LIMIT rules out a plan that scans the inbox.
const selectByID = `
SELECT ` + columns + `
FROM unnest((SELECT $3::uuid[])) AS u(activity_id)
CROSS JOIN LATERAL (
    SELECT * FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = u.activity_id LIMIT 1
) AS n
WHERE u.activity_id <= $4`

// part is a part of an inbox, newest first.
type part struct {
	rows   []Notification // with headers, and without what is not selected or whose activity is purged
	read   int            // the number of rows, all included
	newest uuid.UUID      // of all rows
	last   uuid.UUID      // the oldest of all rows
}

// scan reads the newest rows below an id that are in the state of a selection and within the times
// of its filter, at most limit, with the headers of their activities. Of the filter it tests
// nothing else.
func scan(
	ctx context.Context,
	db DB,
	principal activity.Principal,
	s Selection,
	before uuid.UUID,
	limit int,
) (part, error) {
	from, below := pglog.IDRange(s.Filter)
	if before != uuid.Nil && less(before, below) {
		below = before
	}
	var rows []row
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	newest{state: s.State, below: below, from: from, limit: limit}.queue(batch, principal, &rows)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return part{}, fmt.Errorf("read the inbox: %w", err)
	}
	p := part{read: len(rows)}
	if len(rows) == 0 {
		return p, nil
	}
	p.newest, p.last = rows[0].id, rows[len(rows)-1].id
	list := make([]Notification, 0, len(rows))
	for i := range rows {
		if s.Reasons == 0 || rows[i].reasons.Has(s.Reasons) {
			list = append(list, rows[i].notification(activity.Activity{}))
		}
	}
	var err error
	p.rows, err = withHeaders(ctx, db, principal, list)
	return p, err
}

// newest are the newest rows in a state below an id and not below another, at most limit.
type newest struct {
	state       State
	below, from uuid.UUID
	limit       int
}

// queue queues the statement that reads the rows of a principal. It needs pglog.PinOrder.
func (n newest) queue(batch *pgx.Batch, principal activity.Principal, rows *[]row) {
	batch.Queue(selectNewest(columns, n.state), [16]byte(principal.TenantID), [16]byte(principal.PrincipalID),
		[16]byte(n.below), int64(n.limit), [16]byte(n.from)).
		Query(func(found pgx.Rows) (err error) {
			*rows, err = collect(found, make([]row, 0, min(n.limit, 2*MaxPage)))
			return err
		})
}

// scanIDs reads the rows of ids that are not above upTo, with the headers of their activities.
func scanIDs(
	ctx context.Context, db DB, principal activity.Principal, ids []uuid.UUID, upTo uuid.UUID,
) (p part, err error) {
	list, err := rowsOf(ctx, db, principal, ids, upTo)
	if err != nil || len(list) == 0 {
		return part{}, err
	}
	slices.SortFunc(list, func(a, b Notification) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	p = part{read: len(list), newest: list[0].ID, last: list[len(list)-1].ID}
	p.rows, err = withHeaders(ctx, db, principal, list)
	return p, err
}

// rowsOf reads the rows of ids that are not above upTo, in any order.
func rowsOf(
	ctx context.Context, db pg.Querier, principal activity.Principal, ids []uuid.UUID, upTo uuid.UUID,
) ([]Notification, error) {
	found, err := db.Query(ctx, selectByID, principal.TenantID, principal.PrincipalID, pg.UUIDs(ids), upTo)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	rows, err := collect(found, nil)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	list := make([]Notification, len(rows))
	for i := range rows {
		list[i] = rows[i].notification(activity.Activity{})
	}
	return list, nil
}

// withHeaders adds the headers of their activities to notifications, and removes those whose
// activities the log no longer contains.
func withHeaders(
	ctx context.Context, db DB, principal activity.Principal, list []Notification,
) ([]Notification, error) {
	if len(list) == 0 {
		return list, nil
	}
	ids := make([]uuid.UUID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	headers, err := pglog.New(db).Headers(ctx, principal.TenantID, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[uuid.UUID]*activity.Activity, len(headers))
	for i := range headers {
		byID[headers[i].ID] = &headers[i]
	}
	kept := list[:0]
	for i := range list {
		if a := byID[list[i].ID]; a != nil {
			list[i].Activity = *a
			kept = append(kept, list[i])
		}
	}
	return kept, nil
}

func collect(found pgx.Rows, rows []row) ([]row, error) {
	var r row
	_, err := pgx.ForEachRow(found, r.targets(), func() error {
		rows = append(rows, r)
		r = row{}
		return nil
	})
	return rows, err
}

// headers returns the headers of the activities.
func (p *part) headers() []activity.Activity {
	list := make([]activity.Activity, len(p.rows))
	for i := range p.rows {
		list[i] = p.rows[i].Activity
	}
	return list
}
