package outbox_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// BenchmarkTxActivity compares a change with its activity to the same change with a row of a
// hand-written audit table, and to the change alone, each in a transaction. The test database does
// not fsync, so the benchmark compares work, not disks.
func BenchmarkTxActivity(b *testing.B) {
	db := pgtest.New(b)
	_, err := db.Pool.Exec(b.Context(), `
		CREATE TABLE signals (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, title text NOT NULL);
		CREATE TABLE audit (
		    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL, actor_id uuid NOT NULL,
			resource_id uuid NOT NULL,
		    resource_type text NOT NULL, action text NOT NULL, payload jsonb NOT NULL,
			created_at timestamptz NOT NULL DEFAULT now()
		);
		CREATE INDEX ON audit (tenant_id, created_at);
		CREATE INDEX ON audit (tenant_id, resource_id, created_at);
		CREATE INDEX ON audit (tenant_id, actor_id, created_at)`)
	if err != nil {
		b.Fatal(err)
	}
	tenant, actor := uuid.New(), uuid.New()
	payload := map[string]any{"title": "Momentum 12", "score": 0.7, "tags": []string{"a", "b"}}
	change := func(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
		_, err := tx.Exec(
			ctx,
			`INSERT INTO signals (id, tenant_id, title) VALUES ($1, $2, $3)`,
			id,
			tenant,
			"Momentum 12",
		)
		return err
	}
	alone := func(ctx context.Context, pool *pgxpool.Pool) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return change(ctx, tx, uuid.New()) })
	}
	audited := func(ctx context.Context, pool *pgxpool.Pool) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			id := uuid.New()
			if err := change(ctx, tx, id); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO audit (tenant_id, actor_id, resource_id, resource_type, action, payload)
				VALUES ($1, $2, $3, $4, $5, $6)`, tenant, actor, id, "signal", "signal.created", payload)
			return err
		})
	}
	recorded := func(ctx context.Context, pool *pgxpool.Pool) error {
		e := activity.Envelope{
			TenantID:         tenant,
			ActorPrincipalID: actor,
			ResourceType:     "signal",
			Action:           "signal.created",
			Payload:          payload,
		}
		_, _, err := outbox.TxActivity(
			ctx,
			pool,
			e,
			func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (struct{}, error) {
				e.ResourceID = uuid.New()
				return struct{}{}, change(ctx, tx, e.ResourceID)
			},
		)
		return err
	}
	for _, c := range []struct {
		name string
		do   func(ctx context.Context, pool *pgxpool.Pool) error
	}{{"change", alone}, {"audit", audited}, {"TxActivity", recorded}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetParallelism(2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := c.do(b.Context(), db.Pool); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
		})
	}
}
