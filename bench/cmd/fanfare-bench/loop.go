package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/preferences"
)

// loopTables are the outbox of an application that delivers it with a loop of its own. It contains
// rendered events.
const loopTables = `
CREATE TABLE loop_outbox (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    resource_id  uuid        NOT NULL,
    action       text        NOT NULL,
    event        jsonb       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);
CREATE INDEX loop_outbox_pending ON loop_outbox (id) WHERE published_at IS NULL`

func prepareLoop(ctx context.Context, db *stack.Database) error { return db.Exec(ctx, loopTables) }

const fillLoop = `
INSERT INTO loop_outbox (tenant_id, resource_id, action, event)
SELECT (e ->> 'tenant_id')::uuid, (e #>> '{resource,resource_id}')::uuid, e ->> 'action', e
FROM (SELECT n, payload -> 'data' AS e FROM addressed ORDER BY n LIMIT %d) AS a ORDER BY n`

// loopOnce delivers events with loops as applications write them: rows are claimed with SKIP
// LOCKED, each step of a row is a query of its own, each channel is a request, each row is an
// UPDATE.
func loopOnce(ctx context.Context, db *stack.Database, o *peersOptions) (run drainRun, err error) {
	events := min(o.slow, o.drain.activities)
	if err := db.Exec(ctx, "TRUNCATE loop_outbox", fmt.Sprintf(fillLoop, events)); err != nil {
		return run, err
	}
	if err := db.Settle(ctx, "loop_outbox"); err != nil {
		return run, err
	}
	server, stop, err := stack.StartCentrifugo(ctx, o.binaries.v6)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	l, err := newLoop(server, o.loops)
	if err != nil {
		return run, err
	}
	defer l.publisher.close()
	if err := l.publisher.connect(ctx); err != nil {
		return run, err
	}
	pool, err := db.NewPool(ctx, o.loops)
	if err != nil {
		return run, err
	}
	defer pool.Close()
	open, err := db.Gate(ctx, "loop_outbox")
	if err != nil {
		return run, err
	}
	limited, cancel := context.WithTimeout(ctx, o.drain.timeout)
	defer cancel()
	g, running := errgroup.WithContext(limited)
	for range o.loops {
		g.Go(func() error {
			for {
				delivered := 0
				err := pgx.BeginFunc(running, pool, func(tx pgx.Tx) (err error) {
					delivered, err = l.deliverBatch(running, tx)
					return err
				})
				if err != nil || delivered == 0 {
					return err
				}
			}
		})
	}
	time.Sleep(settleTime)
	before, began := stack.ReadCPU(), time.Now()
	if err := errors.Join(open(), g.Wait()); err != nil {
		return run, err
	}
	run.fill(ownLoop, events, time.Since(began), stack.ReadCPU().Since(before))
	if run.Publications, err = stack.Published(ctx, server.APIURL()); err != nil {
		return run, err
	}
	return run, verifyLoop(ctx, db, events, run.Publications)
}

// verifyLoop compares with the publications of a worker.
func verifyLoop(ctx context.Context, db *stack.Database, events int, published int64) error {
	var pending, want int64
	err := db.Pool.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM loop_outbox WHERE published_at IS NULL),
		       (SELECT sum(jsonb_array_length(payload -> 'channels'))
		        FROM (SELECT payload FROM addressed ORDER BY n LIMIT $1) AS a)`, events).Scan(&pending, &want)
	if err == nil && (pending != 0 || published != want) {
		err = fmt.Errorf("%d events are pending; %d publications reached Centrifugo, want %d", pending, published, want)
	}
	return err
}

// loop delivers the rows of loop_outbox.
type loop struct {
	publisher *plainPublisher
	channels  *centrifugo.Channels
	filter    *preferences.Filter
}

func newLoop(server *devstack.Centrifugo, connections int) (*loop, error) {
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	return &loop{
		publisher: newPlainPublisher(server, connections), channels: channels, filter: preferences.NewFilter(nil),
	}, err
}

// loopEvent is a row of loop_outbox.
type loopEvent struct {
	ID                   int64
	TenantID, ResourceID uuid.UUID
	Action               string
	Event                json.RawMessage
}

func (l *loop) deliverBatch(ctx context.Context, tx pgx.Tx) (delivered int, err error) {
	rows, err := tx.Query(ctx, `
		SELECT id, tenant_id, resource_id, action, event FROM loop_outbox
		WHERE published_at IS NULL
		ORDER BY id
		LIMIT 100
		FOR UPDATE SKIP LOCKED`)
	if err != nil {
		return 0, err
	}
	events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[loopEvent])
	if err != nil {
		return 0, err
	}
	for _, e := range events {
		if err := l.deliver(ctx, tx, e); err != nil {
			return 0, err
		}
		if _, err := tx.Exec(ctx, "UPDATE loop_outbox SET published_at = now() WHERE id = $1", e.ID); err != nil {
			return 0, err
		}
	}
	return len(events), nil
}

func (l *loop) deliver(ctx context.Context, tx pgx.Tx, e loopEvent) error {
	recipients, err := l.recipients(ctx, tx, e)
	if err != nil {
		return err
	}
	channels := []string{l.channels.Resource(e.TenantID, e.ResourceID)}
	for _, id := range recipients {
		channels = append(channels, l.channels.User(activity.Principal{TenantID: e.TenantID, PrincipalID: id}))
	}
	key := fmt.Sprintf("loop-%d", e.ID)
	for _, channel := range channels {
		if err := l.publisher.publish(ctx, message{Channel: channel, Data: e.Event, IdempotencyKey: key}); err != nil {
			return err
		}
	}
	return nil
}

// recipients queries the subscribers, then their roles, then their preferences.
func (l *loop) recipients(ctx context.Context, tx pgx.Tx, e loopEvent) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, `
		SELECT principal_id FROM fanfare.subscriptions
		WHERE tenant_id = $1 AND resource_id = $2 AND revoked_at IS NULL`, e.TenantID, e.ResourceID)
	if err != nil {
		return nil, err
	}
	subscribers, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `
		WITH RECURSIVE chain (id, parent_id) AS (
		    SELECT id, parent_id FROM fanfare.resources WHERE tenant_id = $1 AND id = $2
		    UNION ALL
		    SELECT r.id, r.parent_id
		    FROM chain AS c JOIN fanfare.resources AS r ON r.tenant_id = $1 AND r.id = c.parent_id
		)
		SELECT DISTINCT principal_id FROM fanfare.role_bindings
		WHERE tenant_id = $1 AND principal_id = ANY ($3) AND revoked_at IS NULL
		    AND scope_resource_id IN (SELECT id FROM chain)`, e.TenantID, e.ResourceID, subscribers)
	if err != nil {
		return nil, err
	}
	permitted, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `
		SELECT principal_id, coalesce(filter_mode, ''), custom_actions, coalesce(muted, false)
		FROM fanfare.preferences WHERE tenant_id = $1 AND principal_id = ANY ($2)`, e.TenantID, permitted)
	if err != nil {
		return nil, err
	}
	chosen, err := pgx.CollectRows(rows, pgx.RowToStructByPos[follower])
	if err != nil {
		return nil, err
	}
	for _, f := range chosen {
		if !f.receives(l.filter, e.Action) {
			permitted = slices.DeleteFunc(permitted, func(id uuid.UUID) bool { return id == f.PrincipalID })
		}
	}
	var byDefault follower
	if byDefault.receives(l.filter, e.Action) {
		return permitted, nil
	}
	return slices.DeleteFunc(permitted, func(id uuid.UUID) bool {
		return !slices.ContainsFunc(chosen, func(f follower) bool { return f.PrincipalID == id })
	}), nil
}

// follower is a principal with its preference.
type follower struct {
	PrincipalID uuid.UUID
	Mode        preferences.Mode
	Patterns    []string
	Muted       bool
}

func (f follower) receives(filter *preferences.Filter, action string) bool {
	return !f.Muted && filter.Includes(preferences.Preference{Mode: f.Mode, CustomActions: f.Patterns}, action)
}
