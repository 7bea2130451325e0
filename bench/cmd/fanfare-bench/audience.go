package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/outbox"
)

// audience is a resource that many principals watch.
type audience struct {
	servers  *servers
	resource *fixture.Resource
	watchers int
	activity uuid.UUID // that is recorded

	tx        pgx.Tx // until it is committed
	published int64  // publications before it was recorded
}

// newAudience adds a resource of a tenant whose watchers subscribe to it and hold a role on it.
func newAudience(ctx context.Context, s *servers, tenant *fixture.Tenant, watchers int) (*audience, error) {
	a := &audience{servers: s, watchers: watchers, resource: &fixture.Resource{
		Tenant: tenant, ID: uuid.New(), Folder: tenant.Folders[0], Name: "Announcements",
	}}
	batch := []struct {
		statement string
		arguments []any
	}{
		{
			`INSERT INTO fanfare.resources (tenant_id, id, parent_id, type, name) VALUES ($1, $2, $3, 'signal', $4)`,
			[]any{tenant.ID, a.resource.ID, a.resource.Folder, a.resource.Name},
		},
		{
			`INSERT INTO fanfare.principals (tenant_id, id, display_name)
			SELECT $1, md5('watcher ' || i)::uuid, 'Watcher ' || i FROM generate_series(1, $2::int) AS i`,
			[]any{tenant.ID, watchers},
		},
		{
			`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
			SELECT $1, md5('watcher ' || i)::uuid, $2, 'viewer' FROM generate_series(1, $3::int) AS i`,
			[]any{tenant.ID, a.resource.ID, watchers},
		},
		{
			`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
			SELECT $1, md5('watcher ' || i)::uuid, $2 FROM generate_series(1, $3::int) AS i`,
			[]any{tenant.ID, a.resource.ID, watchers},
		},
	}
	for _, b := range batch {
		if _, err := s.db.Pool.Exec(ctx, b.statement, b.arguments...); err != nil {
			return nil, fmt.Errorf("%s: %w", b.statement, err)
		}
	}
	return a, s.db.Settle(ctx, "fanfare.principals", "fanfare.role_bindings", "fanfare.subscriptions")
}

// record records an activity of the resource in a transaction, which commitAndAwait commits.
func (a *audience) record(ctx context.Context) (err error) {
	if a.published, err = stack.Published(ctx, a.servers.centrifugo.APIURL()); err != nil {
		return err
	}
	if a.tx, err = a.servers.db.Pool.Begin(ctx); err != nil {
		return err
	}
	recorded, err := outbox.Record(ctx, a.tx, a.resource.Envelope(0, 1))
	a.activity = recorded.ID
	return err
}

// undo rolls the transaction back if it has not been committed.
func (a *audience) undo() error { return undo(a.tx) }

// commitAndAwait commits the activity and returns when it is no longer pending.
func (a *audience) commitAndAwait(ctx context.Context) error {
	err := a.tx.Commit(ctx)
	a.tx = nil
	if err != nil {
		return err
	}
	tenant := a.resource.Tenant.ID
	defer progressOf("notifying", a.watchers, func() (notified int) {
		// A failed query is progress that is not known.
		const query = "SELECT notified FROM fanfare.fan_out_jobs WHERE tenant_id = $1 AND activity_id = $2"
		_ = a.servers.db.Pool.QueryRow(ctx, query, tenant, a.activity).Scan(&notified)
		return notified
	})()
	for {
		var pending bool
		err := a.servers.db.Pool.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM fanfare.fan_out_jobs WHERE tenant_id = $1 AND activity_id = $2)
			    OR EXISTS (
			        SELECT FROM fanfare.outbox
			        WHERE lane = fanfare.lane_of($1, $3) AND tenant_id = $1 AND activity_id = $2
			    )
			    OR EXISTS (SELECT FROM fanfare.parked WHERE tenant_id = $1 AND activity_id = $2)`,
			tenant, a.activity, a.resource.ID).Scan(&pending)
		if err != nil || !pending {
			return err
		}
		if err := wait.Sleep(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("the activity is pending: %w", err)
		}
	}
}

// verify counts the notifications of the activity, and the publications since it was recorded, of
// which others are of other activities.
func (a *audience) verify(ctx context.Context, others int64) error {
	var notified int
	const count = "SELECT count(*) FROM fanfare.notifications WHERE tenant_id = $1 AND activity_id = $2"
	countErr := a.servers.db.Pool.QueryRow(ctx, count, a.resource.Tenant.ID, a.activity).Scan(&notified)
	now, err := stack.Published(ctx, a.servers.centrifugo.APIURL())
	if err := errors.Join(countErr, err); err != nil {
		return err
	}
	published, want := now-a.published-others, int64(a.watchers)+1 // and the resource's own channel
	if notified != a.watchers || published < want {
		return fmt.Errorf("%d notifications for %d watchers; %d publications, want %d",
			notified, a.watchers, published, want)
	}
	return nil
}
