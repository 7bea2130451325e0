package inbox

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// firstPart is a part of an inbox, newest first, with the decisions about its rows.
type firstPart struct {
	rows    []row
	allowed []bool // whether the viewer may see the activity of each row, if the log contains it
}

// readPart reads the newest rows in a state below an id, at most limit, and decides about them.
func readPart(
	ctx context.Context, db DB, viewer *directory.Viewer, state State, before uuid.UUID, limit int,
) (*firstPart, error) {
	p := &firstPart{}
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	newest{state: state, below: below(before), limit: limit}.queue(batch, viewer.Principal, &p.rows)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	var err error
	if p.allowed, err = viewer.CanView(ctx, db, p.queries(viewer.Principal)); err != nil {
		return nil, err
	}
	return p, p.decideRest(ctx, db, viewer)
}

// below returns the id below which everything older than a notification is; of uuid.Nil, the
// highest.
func below(before uuid.UUID) uuid.UUID {
	if before == uuid.Nil {
		return uuid.Max
	}
	return before
}

// queries returns what decides about the rows.
func (p *firstPart) queries(principal activity.Principal) []directory.AccessQuery {
	queries := make([]directory.AccessQuery, len(p.rows))
	for i := range p.rows {
		queries[i] = p.rows[i].accessQuery(principal)
	}
	return queries
}

// decideRest decides by the activities about the rows whose resources the directory lacks.
func (p *firstPart) decideRest(ctx context.Context, db DB, viewer *directory.Viewer) error {
	number := map[uuid.UUID]int{}
	var ids []uuid.UUID
	for i := range p.rows {
		if !p.allowed[i] && viewer.Lacks(p.rows[i].resource) {
			ids, number[p.rows[i].id] = append(ids, p.rows[i].id), i
		}
	}
	if len(ids) == 0 {
		return nil
	}
	headers, err := pglog.New(db).Headers(ctx, viewer.Principal.TenantID, ids)
	if err != nil {
		return err
	}
	queries := make([]directory.AccessQuery, len(headers))
	for i := range headers {
		queries[i] = directory.AccessQueryFor(&headers[i])
	}
	allowed, err := viewer.CanView(ctx, db, queries)
	for i := range allowed {
		p.allowed[number[headers[i].ID]] = allowed[i]
	}
	return err
}

// selectEvents selects the events of the activities with the ids $2 that the log contains, in their
// order, at most $3, with the entries of their actors. It needs pglog.PinOrder.
//
// A nested loop finds one activity after the other, until there are enough.
var selectEvents = `
WITH found AS MATERIALIZED (
    SELECT ` + pglog.EventColumns + `
    FROM unnest((SELECT $2::uuid[])) AS u(id)
    CROSS JOIN ` + pglog.ByID("u.id", "$1") + `
    LIMIT $3
), actors AS MATERIALIZED (` + directory.ActorsOf("found") + `
)
SELECT ` + pglog.EventColumns + `, e.kind, e.display_name
FROM found AS a
LEFT JOIN actors AS e ON e.principal_id = a.actor_principal_id`

// readEvents reads the events of the activities with the ids that the log contains, newest first,
// at most limit, and adds the entries of their actors. The ids are ordered, newest first.
func readEvents(
	ctx context.Context, db pg.Batcher, principal activity.Principal, ids []uuid.UUID, limit int,
	actors map[activity.Principal]directory.Actor,
) ([]activity.Activity, error) {
	found := make([]activity.Activity, 0, min(limit, len(ids)))
	batch := &pgx.Batch{}
	batch.Queue(pglog.PinOrder)
	batch.Queue(selectEvents, [16]byte(principal.TenantID), pg.UUIDs(ids), int64(limit)).
		Query(func(rows pgx.Rows) error {
			var a activity.Activity
			var actor directory.Actor
			targets := append(pglog.EventTargets(&a),
				(*zeronull.Text)(&actor.Kind), (*zeronull.Text)(&actor.DisplayName))
			_, err := pgx.ForEachRow(rows, targets, func() error {
				found, actors[a.Actor()] = append(found, a), actor
				a, actor = activity.Activity{}, directory.Actor{}
				return nil
			})
			return err
		})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	slices.SortFunc(found, func(x, y activity.Activity) int { return bytes.Compare(y.ID[:], x.ID[:]) })
	return found, nil
}
