package preferences

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// TenantDefault is the preference that holds for the principals of a tenant that have set none of
// their own, with what the tenant has set.
type TenantDefault struct {
	Preference
	Sources   Sources // FromTenant or FromInstallation
	Own       Fields
	UpdatedAt time.Time // zero if the tenant has no stored preference
}

// GetTenant returns the default preference of a tenant.
func GetTenant(ctx context.Context, db pg.Querier, tenant uuid.UUID) (TenantDefault, error) {
	rows, err := db.Query(ctx, `
		SELECT t.filter_mode, t.custom_actions, t.muted, t.muted_actions, t.updated_at
		FROM fanfare.tenant_preferences AS t
		WHERE t.tenant_id = $1`, tenant)
	if err != nil {
		return TenantDefault{}, fmt.Errorf("read the tenant's preferences: %w", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanTenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return tenantDefault(Fields{}, time.Time{}), nil
	}
	if err != nil {
		return TenantDefault{}, fmt.Errorf("read the tenant's preferences: %w", err)
	}
	return d, nil
}

// PutTenant applies a change to the default preference of a tenant and returns it before and after.
// Changes of tenants wait for each other until tx ends. The error is an *invalid.Error if the
// change is invalid: a tenant mutes no actors.
func PutTenant(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, c Change) (before, after TenantDefault, err error) {
	if err := c.Validate(); err != nil {
		return before, after, err
	}
	if c.MutedActors != nil {
		return before, after, &invalid.Error{Subject: "preferences", Fields: []invalid.Field{{
			Name: "muted_actors", Rule: "must not be given for a tenant",
		}}}
	}
	if _, err := tx.Exec(ctx, `LOCK TABLE fanfare.tenant_preferences IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return before, after, fmt.Errorf("lock the tenants' preferences: %w", err)
	}
	if before, err = GetTenant(ctx, tx, tenant); err != nil || c.IsEmpty() {
		return before, before, err
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO fanfare.tenant_preferences AS t (tenant_id, filter_mode, custom_actions, muted, muted_actions)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant_id) DO UPDATE
		SET filter_mode = CASE WHEN 'filter_mode' = ANY ($6) THEN NULL ELSE coalesce($2, t.filter_mode) END,
		    custom_actions = CASE WHEN 'custom_actions' = ANY ($6) THEN NULL ELSE coalesce($3, t.custom_actions) END,
		    muted = CASE WHEN 'muted' = ANY ($6) THEN NULL ELSE coalesce($4, t.muted) END,
		    muted_actions = CASE WHEN 'muted_actions' = ANY ($6) THEN NULL ELSE coalesce($5, t.muted_actions) END,
		    updated_at = now()
		RETURNING t.filter_mode, t.custom_actions, t.muted, t.muted_actions, t.updated_at`,
		tenant, (*string)(c.Mode), distinctPatterns(c.CustomActions), c.Muted, distinctPatterns(c.MutedActions),
		c.inherited())
	if err != nil {
		return before, after, fmt.Errorf("write the tenant's preferences: %w", err)
	}
	if after, err = pgx.CollectExactlyOneRow(rows, scanTenant); err != nil {
		return before, after, fmt.Errorf("write the tenant's preferences: %w", err)
	}
	return before, after, nil
}

func scanTenant(row pgx.CollectableRow) (TenantDefault, error) {
	var own Fields
	var at time.Time
	if err := row.Scan(append(own.targets(), &at)...); err != nil {
		return TenantDefault{}, err
	}
	return tenantDefault(own, at), nil
}

func tenantDefault(own Fields, at time.Time) TenantDefault {
	d := TenantDefault{Own: own, UpdatedAt: at}
	d.Preference, d.Sources = Effective(Fields{}, own)
	d.withLists()
	return d
}
