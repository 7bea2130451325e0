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

// Estimate counts the rows that a run would remove.
type Estimate struct {
	Removed    Counts           `json:"would_remove"`
	Exact      bool             `json:"exact"` // false if a tenant has more rows than were counted
	Partitions []string         `json:"partitions"`
	Tenants    []TenantEstimate `json:"tenants"` // those with rows to remove or to keep
}

// TenantEstimate counts the rows of a tenant that a run would remove.
type TenantEstimate struct {
	TenantID uuid.UUID  `json:"tenant_id"`
	Before   *time.Time `json:"before"` // activities recorded before this time have expired
	Removed  Counts     `json:"would_remove"`
	Kept     int64      `json:"kept"` // expired activities that are pending or under a legal hold
	Exact    bool       `json:"exact"`
}

// DryRun counts the rows that a run would remove now, for one tenant or, with uuid.Nil, for every
// tenant. It removes nothing. Of each kind of a tenant's rows it counts limit at most, and is exact
// if there are no more. It does not count rows that become removable only by the run itself, such
// as an activity whose dead letter is removed. progress may be nil.
func DryRun(
	ctx context.Context, pool *pgxpool.Pool, tenant uuid.UUID, limit int, progress func(Estimate),
) (Estimate, error) {
	all := Estimate{Exact: true, Partitions: []string{}, Tenants: []TenantEstimate{}}
	err := eachTenant(ctx, pool, tenant, func(t dueTenant) error {
		e, err := estimateTenant(ctx, pool, t, limit)
		if err != nil {
			return fmt.Errorf("count: %w", err)
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
	names, err := expiredPartitions(ctx, pool)
	if err != nil {
		return all, err
	}
	all.Partitions = append(all.Partitions, names...)
	return all, nil
}

func estimateTenant(ctx context.Context, pool *pgxpool.Pool, t dueTenant, limit int) (TenantEstimate, error) {
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
			FROM fanfare.retention_count($1, $2)`, t.id, limit).
			Scan(&e.Removed.Activities, &e.Kept, &e.Removed.Notifications, &e.Removed.IdempotencyKeys,
				&e.Removed.DeadLetters, &e.Removed.Parked, &e.Removed.ServiceTokens, &below, &e.Exact)
	})
	if below != nil {
		at := uuidv7.Time(*below)
		e.Before = &at
	}
	return e, err
}
