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
// not below $5, at most $4. With columns of the primary key, which includes the states, it reads
// nothing but that, and so visits no row in another state: a million of them take some 0.1 s. It
// needs pglog.PinOrder.
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
SELECT ` + keyColumns + `, ` + otherColumns + `
FROM unnest((SELECT $3::uuid[])) AS u(activity_id)
CROSS JOIN LATERAL (
    SELECT * FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = u.activity_id LIMIT 1
) AS n
WHERE u.activity_id <= $4`

// selectWhole selects the newest rows in a state with all columns, and with the events of their
// activities; with the arguments of selectNewest.
func selectWhole(state State) string {
	return `
SELECT ` + keyColumns + `, ` + otherColumns + `, ` + pglog.EventColumns + `
FROM unnest(ARRAY(` + selectNewest(`n.activity_id`, state) + `)) AS u(activity_id)
CROSS JOIN LATERAL (
    SELECT * FROM fanfare.notifications AS n
    WHERE n.tenant_id = $1 AND n.principal_id = $2 AND n.activity_id = u.activity_id LIMIT 1
) AS n
LEFT JOIN ` + pglog.ByID("u.activity_id", "$1") + ` ON true
ORDER BY u.activity_id DESC`
}

// part is a part of an inbox, newest first.
type part struct {
	rows   []Notification // with headers, and without what is not selected or whose activity is purged
	read   int            // the number of rows, all included
	newest uuid.UUID      // of all rows
	last   uuid.UUID      // the oldest of all rows
}

// scan reads the newest rows below an id that are in the state of a selection and within the times
// of its filter, at most limit, with the headers of their activities. Of the filter it tests
// nothing else. Unless the selection has reasons, it reads only the columns of the key.
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
	list := make([]Notification, 0, min(limit, MaxPage+1))
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	batch.Queue(selectNewest(keyColumns, s.State),
		principal.TenantID, principal.PrincipalID, below, int64(limit), from).
		Query(func(rows pgx.Rows) (err error) {
			list, err = collect(rows, list, (*Notification).keyTargets)
			return err
		})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return part{}, fmt.Errorf("read the inbox: %w", err)
	}
	p := part{read: len(list)}
	if len(list) == 0 {
		return p, nil
	}
	p.newest, p.last = list[0].ID, list[len(list)-1].ID
	if s.Reasons != 0 {
		if err := addDetails(ctx, db, principal, list); err != nil {
			return part{}, err
		}
		list = slices.DeleteFunc(list, func(n Notification) bool { return !n.Reasons.Has(s.Reasons) })
	}
	var err error
	p.rows, err = withHeaders(ctx, db, principal, list)
	return p, err
}

// scanWhole reads the newest rows in a state below an id, at most limit, with the events of their
// activities.
func scanWhole(
	ctx context.Context, db pg.Batcher, principal activity.Principal, state State, before uuid.UUID, limit int,
) (p part, err error) {
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	queueWhole(batch, principal, state, before, limit, &p)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return part{}, fmt.Errorf("read the inbox: %w", err)
	}
	return p, nil
}

// queueWhole queues the statement of scanWhole, whose result becomes p. It needs pglog.PinOrder.
func queueWhole(
	batch *pgx.Batch, principal activity.Principal, state State, before uuid.UUID, limit int, p *part,
) {
	if before == uuid.Nil {
		before = uuid.Max
	}
	batch.Queue(selectWhole(state), [16]byte(principal.TenantID), [16]byte(principal.PrincipalID), [16]byte(before),
		int64(limit), [16]byte{}).
		Query(func(rows pgx.Rows) (err error) {
			p.rows, err = collect(rows, make([]Notification, 0, limit), func(n *Notification) []any {
				return append(append(n.keyTargets(), n.otherTargets()...), pglog.EventTargets(&n.Activity)...)
			})
			if p.read = len(p.rows); p.read > 0 {
				p.newest, p.last = p.rows[0].ID, p.rows[p.read-1].ID
			}
			p.rows = slices.DeleteFunc(p.rows, func(n Notification) bool { return n.Activity.ID == uuid.Nil })
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
	rows, err := db.Query(ctx, selectByID, principal.TenantID, principal.PrincipalID, pg.UUIDs(ids), upTo)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	list, err := collect(rows, nil, func(n *Notification) []any { return append(n.keyTargets(), n.otherTargets()...) })
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	return list, nil
}

// addDetails adds what the key does not have to notifications.
func addDetails(ctx context.Context, db pg.Querier, principal activity.Principal, list []Notification) error {
	ids := make([]uuid.UUID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	rows, err := rowsOf(ctx, db, principal, ids, uuid.Max)
	if err != nil {
		return err
	}
	byID := make(map[uuid.UUID]*Notification, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	for i := range list {
		if n := byID[list[i].ID]; n != nil { // it may have been purged since
			list[i].Reasons, list[i].GroupID, list[i].CreatedAt = n.Reasons, n.GroupID, n.CreatedAt
		}
	}
	return nil
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

func collect(
	rows pgx.Rows, list []Notification, targets func(n *Notification) []any,
) ([]Notification, error) {
	var n Notification
	_, err := pgx.ForEachRow(rows, targets(&n), func() error {
		list = append(list, n)
		n = Notification{}
		return nil
	})
	return list, err
}

// headers returns the headers of the activities.
func (p *part) headers() []activity.Activity {
	list := make([]activity.Activity, len(p.rows))
	for i := range p.rows {
		list[i] = p.rows[i].Activity
	}
	return list
}
