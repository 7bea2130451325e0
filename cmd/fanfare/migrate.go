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
	group.AddCommand(acrossCells(p, newMigrateUpCommand), acrossCells(p, newMigrateRepairCommand),
		acrossCells(p, newMigrateDownCommand), acrossCells(p, newMigrateStatusCommand))
	return group
}

func newMigrateUpCommand(p process) *cobra.Command {
	prefix := ""
	command := &cobra.Command{
		Use:   "up",
		Short: "Apply all pending migrations",
		Long: `Apply all pending migrations, and put the roles, owners and grants of the schema right. It is safe
to run this while services, workers and servers run, and to run it several times at once.

The roles belong to the whole cluster, so their names begin with a prefix that is recorded in the
database: fanfare, or fanfare_<database> if another database of the cluster has the roles of fanfare.`,
	}
	command.Flags().StringVar(&prefix, "role-prefix", "", "prefix of the roles' names, for a new schema")
	return withSession(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		options := migrations.Options{Progress: migrationProgress(p.stdout), RolePrefix: prefix}
		if err := migrations.Up(ctx, conn, options); err != nil {
			return err
		}
		return writeMigrations(ctx, p.stdout, conn)
	})
}

func newMigrateRepairCommand(p process) *cobra.Command {
	prefix := ""
	command := &cobra.Command{
		Use:   "repair",
		Short: "Put the roles, owners and grants of the schema right",
		Long: `Create the roles that are missing, and put the owners and grants of the schema right, as after
pg_restore --no-owner or a restore in another cluster. The statements are printed. Nothing is changed
if all is right.

--role-prefix gives the installation other roles, as for a copy of a database in the same cluster.
Grant the new role of writers to the services afterwards.`,
		Example: `  fanfare migrate repair
  fanfare migrate repair --role-prefix fanfare_copy`,
	}
	command.Flags().StringVar(&prefix, "role-prefix", "", "new prefix of the roles' names")
	return withSession(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		done, err := migrations.Repair(ctx, conn, prefix)
		if err != nil {
			return err
		}
		for _, sql := range done {
			fmt.Fprintf(p.stdout, "%s;\n", sql)
		}
		if len(done) == 0 {
			fmt.Fprintln(p.stdout, "The roles, owners and grants are right.")
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
	return withSession(p, command, func(ctx context.Context, conn *pgx.Conn) error {
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
		status, wrong, err := readMigrations(ctx, conn)
		if err != nil {
			return err
		}
		return writeJSON(p.stdout, struct {
			migrations.Status
			WrongRights []string `json:"wrong_rights,omitempty"` // statements that correct them
		}{status, wrong})
	})
}

func migrationProgress(w io.Writer) migrations.Progress {
	return func(name, direction string) { fmt.Fprintf(w, "%-4s  %s\n", direction, name) }
}

// readMigrations returns the status, and the statements that put roles, owners and grants right
// unless migrations are pending.
func readMigrations(ctx context.Context, conn *pgx.Conn) (s migrations.Status, wrong []string, err error) {
	if s, err = migrations.Read(ctx, conn); err == nil && len(s.Pending) == 0 && s.Current == s.Latest {
		wrong, err = migrations.WrongRights(ctx, conn)
	}
	return s, wrong, err
}

func writeMigrations(ctx context.Context, w io.Writer, conn *pgx.Conn) error {
	status, wrong, err := readMigrations(ctx, conn)
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
	if status.WriterRole != "" {
		fmt.Fprintf(w, "Services record with the rights of the role %s.\n", status.WriterRole)
	}
	if status.DirectoryRole != "" {
		fmt.Fprintf(w, "The directory is read with the rights of the role %s.\n", status.DirectoryRole)
	}
	if len(wrong) > 0 {
		fmt.Fprintf(w, "Roles, owners or grants are wrong in %d places. Run fanfare migrate repair:\n", len(wrong))
		for _, sql := range wrong {
			fmt.Fprintf(w, "  %s;\n", sql)
		}
	}
	return nil
}
