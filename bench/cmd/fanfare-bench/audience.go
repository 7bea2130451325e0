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

// notify records an activity of the resource and returns when it has been delivered. It fails if a
// notification or a publication is missing.
func (a *audience) notify(ctx context.Context) error {
	published, err := stack.Published(ctx, a.servers.centrifugo.APIURL())
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, a.servers.db.Pool, func(tx pgx.Tx) error {
		recorded, err := outbox.Record(ctx, tx, a.resource.Envelope(0, 1))
		a.activity = recorded.ID
		return err
	})
	if err != nil {
		return err
	}
	if err := a.await(ctx); err != nil {
		return err
	}
	var notified int
	const count = "SELECT count(*) FROM fanfare.notifications WHERE activity_id = $1"
	countErr := a.servers.db.Pool.QueryRow(ctx, count, a.activity).Scan(&notified)
	now, err := stack.Published(ctx, a.servers.centrifugo.APIURL())
	if err := errors.Join(countErr, err); err != nil {
		return err
	}
	// The resource's own channel is one more; the other activities of the time are more.
	if notified != a.watchers || now-published < int64(a.watchers)+1 {
		return fmt.Errorf("%d notifications and %d publications for %d watchers", notified, now-published, a.watchers)
	}
	return nil
}

// await returns when the activity is no longer pending.
func (a *audience) await(ctx context.Context) error {
	defer progressOf("notifying", a.watchers, func() (notified int) {
		// A failed query is progress that is not known.
		const query = "SELECT notified FROM fanfare.fan_out_jobs WHERE activity_id = $1"
		_ = a.servers.db.Pool.QueryRow(ctx, query, a.activity).Scan(&notified)
		return notified
	})()
	for {
		var pending bool
		err := a.servers.db.Pool.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM fanfare.fan_out_jobs WHERE activity_id = $1)
			    OR EXISTS (SELECT FROM fanfare.outbox WHERE activity_id = $1)
			    OR EXISTS (SELECT FROM fanfare.parked WHERE activity_id = $1)`, a.activity).Scan(&pending)
		if err != nil || !pending {
			return err
		}
		if err := wait.Sleep(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("the activity is pending: %w", err)
		}
	}
}
