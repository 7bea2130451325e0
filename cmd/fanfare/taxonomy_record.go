package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/outbox"
)

// withSystemTenant is withPool for a command that changes what holds for the whole installation,
// which is recorded in the log of the system's tenant; uuid.Nil if there is none.
func withSystemTenant(
	p process,
	command *cobra.Command,
	do func(ctx context.Context, pool *pgxpool.Pool, system uuid.UUID) error,
) *cobra.Command {
	return withConfig(p, command, config.Installation(), func(ctx context.Context, c *config.Config) error {
		return usePool(ctx, c, func(pool *pgxpool.Pool) error { return do(ctx, pool, c.SystemTenant) })
	})
}

// applyRecorded applies a taxonomy and records in the same transaction that it did, if that changed
// anything and there is a tenant to record it in.
func applyRecorded(
	ctx context.Context,
	pool *pgxpool.Pool,
	system uuid.UUID,
	wanted *taxonomy.Taxonomy,
	o taxonomy.ApplyOptions,
) (changes taxonomy.Changes, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if changes, err = taxonomy.Apply(ctx, tx, wanted, o); err != nil || o.DryRun || system == uuid.Nil ||
			changes.Len() == 0 {
			return err
		}
		applied := builtin.TaxonomyApplied{
			Added:             len(changes.Added),
			Changed:           len(changes.Changed),
			Removed:           len(changes.Removed),
			HiddenKeysChanged: changes.SecretKeys != nil,
		}
		return recordTaxonomyActivity(ctx, tx, applied.On(system, taxonomyOf(system)))
	})
	return changes, err
}

// enforceRecorded sets a mode, or with "" takes a tenant's own away, and records in the same
// transaction what that changed: a tenant's in its own log, the installation's in the system's, if
// there is a tenant for that.
func enforceRecorded(ctx context.Context, pool *pgxpool.Pool, system, tenant uuid.UUID, mode taxonomy.Mode) error {
	log, scope := tenant, "tenant"
	if tenant == uuid.Nil {
		log, scope = system, "installation"
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		before, err := taxonomy.ModeOf(ctx, tx, tenant)
		if err != nil {
			return err
		}
		if mode == "" {
			err = taxonomy.ClearMode(ctx, tx, tenant)
		} else {
			err = enforce(ctx, tx, tenant, mode)
		}
		if err != nil {
			return err
		}
		after, err := taxonomy.ModeOf(ctx, tx, tenant)
		if err != nil || after == before || log == uuid.Nil {
			return err
		}
		changed := builtin.TaxonomyEnforcementChanged{From: string(before), To: string(after), Scope: scope}
		return recordTaxonomyActivity(ctx, tx, changed.On(log, taxonomyOf(log)))
	})
}

// taxonomyOf returns the id of the resource that stands for the taxonomy in a tenant.
func taxonomyOf(tenant uuid.UUID) uuid.UUID { return uuid.NewSHA1(tenant, []byte("fanfare.taxonomy")) }

// recordTaxonomyActivity records an activity of the system about the taxonomy.
func recordTaxonomyActivity(ctx context.Context, tx pgx.Tx, e activity.Envelope) error {
	e.ActorPrincipalID, e.ResourceName = activity.System, "taxonomy"
	if _, err := outbox.Record(ctx, tx, e); err != nil {
		return fmt.Errorf("record %s in the log of tenant %s: %w", e.Action, e.TenantID, err)
	}
	return nil
}
