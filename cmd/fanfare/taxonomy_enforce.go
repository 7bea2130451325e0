package main

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/taxonomylog"
)

func newTaxonomyEnforceCommand(p process) *cobra.Command {
	var (
		mode          taxonomy.Mode
		tenant        uuid.UUID
		unset, asJSON bool
	)
	command := &cobra.Command{
		Use:   "enforce [off | warn | strict]",
		Short: "Show or set the mode of enforcement",
		Long: `Set what happens to activities that violate the taxonomy. Without a mode, show the modes in effect.

  off      they are recorded
  warn     they are recorded with a warning
  strict   they are refused

Without --tenant, the mode applies to every tenant without a mode of its own. It is effective
immediately. The mode strict requires an applied taxonomy.

A change is recorded in the same transaction as taxonomy.enforcement_changed: of a tenant's mode in
its own log, of the installation's in the log of --system-tenant.`,
		Example: `  fanfare taxonomy enforce warn
  fanfare taxonomy enforce strict --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			switch {
			case len(args) > 1:
				return &usageError{"at most one argument is accepted: off, warn or strict"}
			case len(args) == 1:
				if mode, err = taxonomy.ParseMode(args[0]); err != nil {
					return &usageError{err.Error()}
				}
			}
			return nil
		},
		ValidArgs: []string{"off", "warn", "strict"},
		PreRunE: func(*cobra.Command, []string) error {
			switch {
			case unset && mode != "":
				return &usageError{"a mode and --clear cannot be combined"}
			case unset && tenant == uuid.Nil:
				return &usageError{"--clear requires --tenant"}
			}
			return nil
		},
	}
	command.Flags().Var(&uuidValue{&tenant}, "tenant", "set or show the mode of this tenant")
	command.Flags().BoolVar(&unset, "clear", false, "remove the tenant's mode, so that the installation's applies")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withSystemTenant(p, command, func(ctx context.Context, pool *pgxpool.Pool, system uuid.UUID) error {
		if unset || mode != "" {
			change := taxonomylog.ModeChange{Tenant: tenant, Mode: mode, System: system}
			if err := taxonomylog.SetMode(ctx, pool, change); err != nil {
				return err
			}
		}
		enforcement, err := taxonomy.Modes(ctx, pool)
		if err != nil {
			return err
		}
		if tenant != uuid.Nil {
			enforcement.Tenants = slices.DeleteFunc(enforcement.Tenants, func(m taxonomy.TenantMode) bool {
				return m.TenantID != tenant
			})
		}
		if asJSON {
			return writeJSON(p.stdout, enforcement)
		}
		return writeTable(p.stdout, enforcementRows(enforcement))
	})
}

func enforcementRows(e taxonomy.Enforcement) [][]string {
	rows := [][]string{{"TENANT", "MODE", "SINCE"}, {"installation", string(e.Installation), ""}}
	for _, m := range e.Tenants {
		rows = append(rows, []string{m.TenantID.String(), string(m.Mode), m.UpdatedAt.UTC().Format(time.RFC3339)})
	}
	return rows
}
