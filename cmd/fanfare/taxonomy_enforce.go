package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

func newTaxonomyEnforceCommand(p process) *cobra.Command {
	var (
		mode   taxonomy.Mode
		tenant uuid.UUID
		clears bool
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "enforce [off | warn | strict]",
		Short: "Say what happens to activities that break the taxonomy",
		Long: `Sets what happens to activities that break the taxonomy: off, nothing; warn, they are recorded with a note of
what they break; strict, they are refused. Without --tenant it is for every tenant that has no mode of its own.
It holds at once, for what is recorded from then on. Without a mode it only shows which there are.

What changes is recorded in the same transaction (taxonomy.enforcement_changed): a tenant's mode in its own log, the
installation's in that of --system-tenant, if there is one. Strict needs a taxonomy: with nothing registered but
Fanfare's own actions, everything else would be refused.`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			switch {
			case len(args) > 1:
				return &usageError{"say one of off, warn, strict, or nothing to see what is set"}
			case len(args) == 1:
				if mode, err = taxonomy.ParseMode(args[0]); err != nil {
					return &usageError{err.Error()}
				}
			}
			return nil
		},
		PreRunE: func(*cobra.Command, []string) error {
			switch {
			case clears && mode != "":
				return &usageError{"say a mode or --clear, not both"}
			case clears && tenant == uuid.Nil:
				return &usageError{"--clear needs --tenant: the installation always has a mode"}
			}
			return nil
		},
	}
	command.Flags().Var(&uuidValue{&tenant}, "tenant", "only this tenant's")
	command.Flags().BoolVar(&clears, "clear", false, "take the tenant's own mode away")
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return withSystemTenant(p, command, func(ctx context.Context, pool *pgxpool.Pool, system uuid.UUID) error {
		if clears || mode != "" {
			if err := enforceRecorded(ctx, pool, system, tenant, mode); err != nil {
				return err
			}
		}
		enforcement, err := taxonomy.Modes(ctx, pool)
		if err != nil {
			return err
		}
		if tenant != uuid.Nil {
			enforcement.Tenants = only(enforcement.Tenants, tenant)
		}
		if asJSON {
			return writeJSON(p.stdout, enforcement)
		}
		return writeTable(p.stdout, enforcementRows(enforcement))
	})
}

// enforce sets a mode, but not one in which nothing could be recorded but what Fanfare itself does.
func enforce(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, mode taxonomy.Mode) error {
	if mode == taxonomy.Strict {
		applied, err := taxonomy.Load(ctx, tx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(applied.Actions(), func(a taxonomy.Action) bool { return !a.Builtin() }) {
			return errors.New(
				"no action of an application is registered, so strict would refuse everything: apply a taxonomy first",
			)
		}
	}
	return taxonomy.SetMode(ctx, tx, tenant, mode)
}

func only(modes []taxonomy.TenantMode, tenant uuid.UUID) []taxonomy.TenantMode {
	for _, m := range modes {
		if m.TenantID == tenant {
			return []taxonomy.TenantMode{m}
		}
	}
	return []taxonomy.TenantMode{}
}

func enforcementRows(e taxonomy.Enforcement) [][]string {
	rows := [][]string{{"TENANT", "MODE", "SINCE"}, {"installation", string(e.Installation), ""}}
	for _, m := range e.Tenants {
		rows = append(rows, []string{fmt.Sprint(m.TenantID), string(m.Mode), m.UpdatedAt.UTC().Format(time.RFC3339)})
	}
	return rows
}
