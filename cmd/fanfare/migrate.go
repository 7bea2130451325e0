package main

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/migrations"
)

func newMigrateCommand(p process) *cobra.Command {
	group := newGroup("migrate", "Create, upgrade or remove the database schema",
		`Create, upgrade or remove the schema fanfare. PostgreSQL 15 or newer is required.`)
	group.AddCommand(newMigrateUpCommand(p), newMigrateDownCommand(p), newMigrateStatusCommand(p))
	return group
}

func newMigrateUpCommand(p process) *cobra.Command {
	return withConn(p, &cobra.Command{
		Use:   "up",
		Short: "Apply all pending migrations",
		Long: `Apply all pending migrations. It is safe to run this while services, workers and servers run, and
to run it several times at once.`,
	}, func(ctx context.Context, conn *pgx.Conn) error {
		if err := migrations.Up(ctx, conn, migrationProgress(p.stdout)); err != nil {
			return err
		}
		return writeMigrations(ctx, p.stdout, conn)
	})
}

func newMigrateDownCommand(p process) *cobra.Command {
	to, yes := 0, false
	command := &cobra.Command{
		Use:   "down --to N",
		Short: "Revert migrations, and remove their tables and data",
		Long: `Revert the migrations after migration N. Everything that they created is removed, including the
data. Migration 0 removes the whole schema with every recorded activity, and requires --yes.`,
		Example: `  fanfare migrate down --to 3
  fanfare migrate down --to 0 --yes`,
		PreRunE: func(command *cobra.Command, _ []string) error {
			switch {
			case !command.Flags().Changed("to"):
				return &usageError{"--to is required"}
			case to < 0:
				return &usageError{fmt.Sprintf("--to %d: must not be negative", to)}
			case to == 0 && !yes:
				return &usageError{"--to 0 removes every recorded activity: confirm with --yes"}
			}
			return nil
		},
	}
	command.Flags().IntVar(&to, "to", 0, "number of the migration to revert to")
	command.Flags().BoolVar(&yes, "yes", false, "confirm --to 0, which removes everything")
	return withConn(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		if err := migrations.Down(ctx, conn, to, migrationProgress(p.stdout)); err != nil {
			return err
		}
		return writeMigrations(ctx, p.stdout, conn)
	})
}

func newMigrateStatusCommand(p process) *cobra.Command {
	asJSON := false
	command := &cobra.Command{
		Use:   "status",
		Short: "Show the current migration and the pending ones",
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withConn(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		if !asJSON {
			return writeMigrations(ctx, p.stdout, conn)
		}
		status, err := migrations.Read(ctx, conn)
		if err != nil {
			return err
		}
		return writeJSON(p.stdout, status)
	})
}

func migrationProgress(w io.Writer) migrations.Progress {
	return func(name, direction string) { fmt.Fprintf(w, "%-4s  %s\n", direction, name) }
}

func writeMigrations(ctx context.Context, w io.Writer, conn *pgx.Conn) error {
	status, err := migrations.Read(ctx, conn)
	if err != nil {
		return err
	}
	switch {
	case status.Current > status.Latest:
		fmt.Fprintf(w, "The database is at migration %d; this version of fanfare has only %d.\n",
			status.Current, status.Latest)
	case len(status.Pending) == 0:
		fmt.Fprintf(w, "The database is at migration %d, the latest.\n", status.Current)
	default:
		fmt.Fprintf(w, "The database is at migration %d of %d. Pending:\n", status.Current, status.Latest)
		for _, name := range status.Pending {
			fmt.Fprintf(w, "  %s\n", name)
		}
	}
	return nil
}
