package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/taxonomylog"
)

func newTaxonomyDiffCommand(p process) *cobra.Command {
	var (
		file   string
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "diff <file>",
		Short: "Compare a file with the database",
		Long: `Compare the taxonomy of a file with the one in the database. In the output, 'fanfare taxonomy apply'
would add the actions marked +, remove those marked - and change those marked ~. Built-in actions
are included: the first apply adds them, and an upgrade of Fanfare may change them.

The exit code is 1 if there are differences.`,
		Example: `  fanfare taxonomy diff taxonomy.yaml`,
	}
	fileArgument(command, &file)
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		parsed, err := readTaxonomy(p, file)
		if err != nil {
			return err
		}
		applied, err := taxonomy.Load(ctx, pool)
		if err != nil {
			return err
		}
		changes := taxonomy.Diff(applied, parsed.WithBuiltins())
		if asJSON {
			err = writeJSON(p.stdout, changes)
		} else {
			_, err = fmt.Fprint(p.stdout, changes)
		}
		if err == nil && changes.Len() > 0 {
			err = fmt.Errorf("%s between the database and %s", counted(changes.Len(), "difference"), file)
		}
		return err
	})
}

func newTaxonomyApplyCommand(p process) *cobra.Command {
	var (
		file    string
		options taxonomy.ApplyOptions
		asJSON  bool
	)
	command := &cobra.Command{
		Use:   "apply <file>",
		Short: "Apply a file to the database",
		Long: `Print the differences, and then replace the taxonomy in the database by that of the file, in one
transaction. Services may record activities meanwhile. Applying the same file again changes nothing.

An action that recorded activities use is not removed, unless --force is given. The activities
themselves do not change. No index leads from an action to its activities, so the log is searched,
the newest month first, for at most --search-timeout.

With --system-tenant, the change is recorded in that tenant's log as taxonomy.applied.`,
		Example: `  fanfare taxonomy apply taxonomy.yaml --dry-run
  fanfare taxonomy apply taxonomy.yaml`,
		PreRunE: func(*cobra.Command, []string) error {
			if options.SearchTimeout <= 0 {
				return &usageError{fmt.Sprintf("--search-timeout %s: must be positive", options.SearchTimeout)}
			}
			return nil
		},
	}
	fileArgument(command, &file)
	flags := command.Flags()
	flags.BoolVar(&options.DryRun, "dry-run", false, "print the differences without changing the database")
	flags.BoolVar(&options.Force, "force", false, "remove actions without searching for activities that use them")
	flags.DurationVar(&options.SearchTimeout, "search-timeout", taxonomy.DefaultSearchTimeout,
		"timeout of the search for activities of removed actions")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return withSystemTenant(p, command, func(ctx context.Context, pool *pgxpool.Pool, system uuid.UUID) error {
		parsed, err := readTaxonomy(p, file)
		if err != nil {
			return err
		}
		if !asJSON {
			options.Show = func(changes taxonomy.Changes) { fmt.Fprint(p.stdout, changes) }
		}
		changes, err := taxonomylog.Apply(ctx, pool, system, parsed, options)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, struct {
				Applied bool `json:"applied"`
				taxonomy.Changes
			}{!options.DryRun, changes})
		}
		_, err = fmt.Fprintln(p.stdout, appliedText(changes, options.DryRun))
		return err
	})
}

func appliedText(c taxonomy.Changes, dryRun bool) string {
	if c.Len() == 0 {
		return "The database already has this taxonomy."
	}
	counts := fmt.Sprintf("%d added, %d removed, %d changed", len(c.Added), len(c.Removed), len(c.Changed))
	if c.SecretKeys != nil {
		counts += ", secret keys changed"
	}
	if dryRun {
		return "Dry run, nothing was changed: " + counts
	}
	return "Applied: " + counts
}

// withSystemTenant makes command run with the database and with the system tenant, in whose log
// changes of the installation are recorded; it is uuid.Nil if none is set.
func withSystemTenant(
	p process,
	command *cobra.Command,
	run func(ctx context.Context, pool *pgxpool.Pool, system uuid.UUID) error,
) *cobra.Command {
	return withConfig(p, command, config.Installation(), func(ctx context.Context, c *config.Config) error {
		return usePool(ctx, c, func(pool *pgxpool.Pool) error { return run(ctx, pool, c.SystemTenant) })
	})
}
