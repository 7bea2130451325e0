package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
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
It holds at once, for what is recorded from then on. Without a mode it only shows which there are.`,
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
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		switch {
		case clears:
			if err := taxonomy.ClearMode(ctx, pool, tenant); err != nil {
				return err
			}
		case mode != "":
			if err := enforce(ctx, pool, tenant, mode); err != nil {
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

// enforce sets a mode, but not one in which nothing at all could be recorded.
func enforce(ctx context.Context, pool *pgxpool.Pool, tenant uuid.UUID, mode taxonomy.Mode) error {
	if mode == taxonomy.Strict {
		applied, err := taxonomy.Load(ctx, pool)
		if err != nil {
			return err
		}
		if len(applied.Actions()) == 0 {
			return errors.New("no action is registered, so strict would refuse everything: apply a taxonomy first")
		}
	}
	return taxonomy.SetMode(ctx, pool, tenant, mode)
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
