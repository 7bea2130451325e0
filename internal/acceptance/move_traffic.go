package acceptance

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/cellmoves"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/outbox"
)

// moveTraffic is what is written during a move.
type moveTraffic struct {
	*moveRun
	recorder *Recorder
	ended    chan struct{}
	home     atomic.Int64 // the index of the cell to which the tenant's writers write
	refused  atomic.Int64
	longest  atomic.Int64 // in nanoseconds
}

// write records activities of both tenants until the traffic has ended.
func (t *moveTraffic) write(ctx context.Context) error {
	random := rand.New(rand.NewPCG(t.Seed, 1))
	rate := Rate{PerSecond: t.Rate + t.OtherRate, Until: t.ended, Concurrency: 16}
	return AtRate(ctx, rate, func(n int) func(context.Context) error {
		tenant := t.world.Tenants[1]
		if random.IntN(t.Rate+t.OtherRate) < t.Rate {
			tenant = t.moving
		}
		resource := t.world.Resources[random.IntN(len(t.world.Resources))]
		for resource.Tenant != tenant {
			resource = t.world.Resources[random.IntN(len(t.world.Resources))]
		}
		return func(ctx context.Context) error { return t.record(ctx, resource, n) }
	})
}

// record records one activity, as an application does that repeats a refused transaction.
func (t *moveTraffic) record(ctx context.Context, resource *fixture.Resource, n int) error {
	v := t.versions[resource.ID]
	v.Lock()
	defer v.Unlock()
	v.last++
	return t.atHome(ctx, resource.Tenant == t.moving, func(pool *pgxpool.Pool) error {
		recorded, times, err := CommitActivity(ctx, pool, resource.Envelope(n, v.last))
		if err == nil {
			t.recorder.Committed(recorded, times)
		}
		return err
	})
}

// atHome calls do with the database of a tenant. While the tenant is frozen there, it asks that
// database for where the tenant has moved, and repeats.
func (t *moveTraffic) atHome(ctx context.Context, moves bool, do func(pool *pgxpool.Pool) error) error {
	if !moves {
		return do(t.cells[0].pool)
	}
	var refused time.Time
	for {
		home := t.home.Load()
		err := do(t.cells[home].pool)
		if moving := (*outbox.TenantMovingError)(nil); !errors.As(err, &moving) && !pg.IsFrozen(err) {
			if err == nil && !refused.IsZero() {
				t.waited(time.Since(refused))
			}
			return err
		}
		t.refused.Add(1)
		if refused.IsZero() {
			refused = time.Now()
		}
		name, err := cellmoves.Of(ctx, t.cells[home].pool, t.moving.ID)
		switch {
		case err != nil:
			return err
		case name == t.cells[1-home].Name:
			t.home.CompareAndSwap(home, 1-home)
		default:
			if err := wait.Sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
}

func (t *moveTraffic) waited(d time.Duration) {
	for {
		longest := t.longest.Load()
		if int64(d) <= longest || t.longest.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}

// change sets levels, follows and marks, of principals who watch nothing, until the traffic has
// ended.
func (t *moveTraffic) change(ctx context.Context) error {
	rate := Rate{PerSecond: 20, Until: t.ended, Concurrency: 1}
	return AtRate(ctx, rate, func(n int) func(context.Context) error {
		resource := t.world.Resources[2*(n%20)] // of the tenant that moves
		return func(ctx context.Context) error {
			number := uuid.NewString()
			err := t.atHome(ctx, true, func(pool *pgxpool.Pool) error {
				return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return changeLevel(ctx, tx, resource, number) })
			})
			if err == nil {
				t.levels.Store(resource.ID, number)
			}
			return err
		}
	})
}

func changeLevel(ctx context.Context, tx pgx.Tx, resource *fixture.Resource, number string) error {
	tenant, editor := resource.Tenant.ID, resource.Tenant.Editors[0]
	_, err := tx.Exec(ctx, `
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level, patterns)
		VALUES ($1, $2, $3, 'custom', ARRAY[$4::text])
		ON CONFLICT (tenant_id, principal_id, resource_id) DO UPDATE SET patterns = excluded.patterns`,
		tenant, editor, resource.ID, number)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE fanfare.notifications SET read_at = now()
		WHERE (tenant_id, principal_id, activity_id) IN (
		    SELECT tenant_id, principal_id, activity_id FROM fanfare.notifications
		    WHERE tenant_id = $1 AND resource_id = $2 AND read_at IS NULL LIMIT 3)`, tenant, resource.ID)
	return err
}
