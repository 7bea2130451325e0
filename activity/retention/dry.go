package retention

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// Estimate is what a run would remove.
type Estimate struct {
	Removed    Counts           `json:"would_remove"`
	Exact      bool             `json:"exact"` // false: there is more than was counted
	Partitions []string         `json:"partitions"`
	Tenants    []TenantEstimate `json:"tenants"` // those with anything to remove or to keep
}

// TenantEstimate is what a run would remove of a tenant.
type TenantEstimate struct {
	TenantID uuid.UUID  `json:"tenant_id"`
	Before   *time.Time `json:"before"` // activities recorded before have had their time
	Removed  Counts     `json:"would_remove"`
	Kept     int64      `json:"kept"` // activities that have, and are pending or held
	Exact    bool       `json:"exact"`
}

// DryRun counts what a run would remove now, of every tenant or of one, and removes nothing. It
// counts up to bound of each kind of a tenant, and is exact when a tenant has no more; what only
// becomes removable by the run itself, such as an activity whose dead letter goes, is not counted.
func DryRun(
	ctx context.Context,
	pool *pgxpool.Pool,
	tenant uuid.UUID,
	bound int,
	progress func(Estimate),
) (Estimate, error) {
	all := Estimate{Exact: true, Partitions: []string{}, Tenants: []TenantEstimate{}}
	err := eachTenant(ctx, pool, tenant, func(t dueTenant) error {
		e := TenantEstimate{TenantID: t.id}
		var below *uuid.UUID
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if t.measure {
				if _, err := tx.Exec(ctx, `SELECT fanfare.retention_measure($1)`, t.id); err != nil {
					return err
				}
			}
			return tx.QueryRow(ctx, `
				SELECT activities, kept, notifications, idempotency_keys, dead_letters, parked, service_tokens, below, exact
				FROM fanfare.retention_count($1, $2)`, t.id, bound).
				Scan(&e.Removed.Activities, &e.Kept, &e.Removed.Notifications, &e.Removed.IdempotencyKeys, &e.Removed.DeadLetters, &e.Removed.Parked,
					&e.Removed.ServiceTokens, &below, &e.Exact)
		})
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
		if below != nil {
			at := uuidv7.Time(*below)
			e.Before = &at
		}
		if (e.Removed == Counts{} && e.Kept == 0) {
			return nil
		}
		all.Removed.add(e.Removed)
		all.Exact = all.Exact && e.Exact
		all.Tenants = append(all.Tenants, e)
		if progress != nil {
			progress(all)
		}
		return nil
	})
	if err != nil || tenant != uuid.Nil {
		return all, err
	}
	names, err := goingPartitions(ctx, pool)
	if err != nil {
		return all, err
	}
	all.Partitions = append(all.Partitions, names...)
	return all, nil
}
