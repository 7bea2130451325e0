// Package taxonomylog changes the taxonomy and its enforcement, and records each change in the
// activity log in the same transaction.
package taxonomylog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/outbox"
)

// Apply applies a taxonomy as [taxonomy.Apply] does. If that changes anything, it records
// taxonomy.applied in the log of the system tenant; uuid.Nil disables recording.
func Apply(
	ctx context.Context, pool *pgxpool.Pool, system uuid.UUID, wanted *taxonomy.Taxonomy, o taxonomy.ApplyOptions,
) (changes taxonomy.Changes, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if changes, err = taxonomy.Apply(ctx, tx, wanted, o); err != nil {
			return err
		}
		if o.DryRun || system == uuid.Nil || changes.Len() == 0 {
			return nil
		}
		return record(ctx, tx, builtin.TaxonomyApplied{
			Added:             len(changes.Added),
			Changed:           len(changes.Changed),
			Removed:           len(changes.Removed),
			HiddenKeysChanged: changes.SecretKeys != nil,
		}.On(system, resourceOf(system)))
	})
	return changes, err
}

// ModeChange is a change of the mode of enforcement.
type ModeChange struct {
	Tenant uuid.UUID     // whose mode changes; uuid.Nil is the installation
	Mode   taxonomy.Mode // "" removes the tenant's mode
	System uuid.UUID     // the tenant whose log records a change of the installation; uuid.Nil disables that
}

// errNothingRegistered is the error of strict enforcement that would refuse every activity.
var errNothingRegistered = errors.New(
	"no action of an application is registered, so strict would refuse everything: apply a taxonomy first")

// SetMode changes the mode of enforcement. If that changes the mode in effect, it records
// taxonomy.enforcement_changed: a tenant's change in its own log, the installation's in that of the
// system tenant. It refuses the mode strict while only built-in actions are registered.
func SetMode(ctx context.Context, pool *pgxpool.Pool, c ModeChange) error {
	log, scope := c.Tenant, "tenant"
	if c.Tenant == uuid.Nil {
		log, scope = c.System, "installation"
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		before, err := taxonomy.ModeOf(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		if err := setMode(ctx, tx, c); err != nil {
			return err
		}
		after, err := taxonomy.ModeOf(ctx, tx, c.Tenant)
		if err != nil || after == before || log == uuid.Nil {
			return err
		}
		return record(ctx, tx, builtin.TaxonomyEnforcementChanged{
			From: string(before), To: string(after), Scope: scope,
		}.On(log, resourceOf(log)))
	})
}

func setMode(ctx context.Context, tx pgx.Tx, c ModeChange) error {
	if c.Mode == "" {
		return taxonomy.ClearMode(ctx, tx, c.Tenant)
	}
	if c.Mode == taxonomy.Strict {
		applied, err := taxonomy.Load(ctx, tx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(applied.Actions(), func(a taxonomy.Action) bool { return !a.Builtin() }) {
			return errNothingRegistered
		}
	}
	return taxonomy.SetMode(ctx, tx, c.Tenant, c.Mode)
}

// resourceOf returns the id of the resource for the taxonomy in a tenant's log.
func resourceOf(tenant uuid.UUID) uuid.UUID { return uuid.NewSHA1(tenant, []byte("fanfare.taxonomy")) }

func record(ctx context.Context, tx pgx.Tx, e activity.Envelope) error {
	e.ActorPrincipalID, e.ResourceName = activity.System, "taxonomy"
	if _, err := outbox.Record(ctx, tx, e); err != nil {
		return fmt.Errorf("record %s in the log of tenant %s: %w", e.Action, e.TenantID, err)
	}
	return nil
}
