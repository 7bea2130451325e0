package retention

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

const (
	readTimeout = 15 * time.Minute // of a statement that only reads
	tenantPage  = 500
)

// dueTenant is a tenant with the kinds of rows that may have expired.
type dueTenant struct {
	id                                 uuid.UUID
	measure, expired, inbox, keys, due bool
}

// eachTenant calls do for the tenants with rows that may have expired, in the order of their ids.
func eachTenant(ctx context.Context, db pg.Querier, only uuid.UUID, do func(t dueTenant) error) error {
	for after := uuid.Nil; ; {
		tenants, err := dueTenants(ctx, db, only, after)
		if err != nil {
			return fmt.Errorf("list the tenants with expired rows: %w", err)
		}
		for _, t := range tenants {
			if err := do(t); err != nil {
				return fmt.Errorf("tenant %s: %w", t.id, err)
			}
			after = t.id
		}
		if len(tenants) < tenantPage || only != uuid.Nil {
			return nil
		}
	}
}

// dueTenants returns a page of tenants.
func dueTenants(ctx context.Context, db pg.Querier, only, after uuid.UUID) ([]dueTenant, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rows, err := db.Query(ctx, `
		SELECT tenant_id, measure, expired, inbox, keys, due
		FROM fanfare.retention_tenants($1, $2, $3)`, nullIfNil(only), after, tenantPage)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t dueTenant, err error) {
		return t, row.Scan(&t.id, &t.measure, &t.expired, &t.inbox, &t.keys, &t.due)
	})
}
