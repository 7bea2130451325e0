package main

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/migrations"
	"github.com/fanfarehq/fanfare/outbox"
)

func newMigrateCommand(p process) *cobra.Command {
	group := newGroup("migrate", "Create, upgrade or remove the database schema",
		`Create, upgrade or remove the schema fanfare. PostgreSQL 15 or newer is required.

During a rolling upgrade, programs of the version before go on with the new schema until they are
replaced. Programs "from migration N on" are those that contain migration N; each migration states
from which one on programs work while it is applied. Others stop, and lose nothing.`)
	group.AddCommand(acrossCells(p, newMigrateUpCommand), acrossCells(p, newMigrateRepairCommand),
		acrossCells(p, newMigrateDownCommand), acrossCells(p, newMigrateStatusCommand))
	return group
}

func newMigrateUpCommand(p process) *cobra.Command {
	prefix, force := "", false
	command := &cobra.Command{
		Use:   "up",
		Short: "Apply all pending migrations",
		Long: `Apply all pending migrations, and put the roles, owners and grants of the schema right. It is safe
to run this while services, workers and servers run, and to run it several times at once. It is
refused while a worker runs whose program does not work with the new schema, unless --force is
given; the worker then stops. API servers do not register: look at the status first.

A migration waits at most two seconds for a lock, since other statements wait behind it, and is
tried again for a minute.

The roles belong to the whole cluster, so their names begin with a prefix that is recorded in the
database: fanfare, or fanfare_<database> if another database of the cluster has the roles of fanfare.`,
		Example: `  fanfare migrate status
  fanfare migrate up`,
	}
	command.Flags().BoolVar(&force, "force", false, "migrate although live workers do not work afterwards")
	command.Flags().StringVar(&prefix, "role-prefix", "", "prefix of the roles' names, for a new schema")
	return withSession(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		if err := checkWorkersBeforeUp(ctx, conn, force); err != nil {
			return err
		}
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
	to, yes, force := 0, false, false
	command := &cobra.Command{
		Use:   "down --to N",
		Short: "Revert migrations, and remove their tables and data",
		Long: `Revert the migrations after migration N. Everything that they created is removed, including the
data. Migration 0 removes the whole schema with every recorded activity, and requires --yes. It is
refused while a worker runs whose program needs one of the migrations, unless --force is given:
replace the programs by those of the version before first.`,
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
	command.Flags().BoolVar(&force, "force", false, "revert although live workers need the migrations")
	return withSession(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		if err := checkWorkersBeforeDown(ctx, conn, to, force); err != nil {
			return err
		}
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
		Long: `Show the current migration and the pending ones, with the oldest programs that work with each, and
the live workers that would not.`,
		Example: `  fanfare migrate status
  fanfare migrate status --json | jq '.pending[].oldest_program'`,
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withConn(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		if !asJSON {
			return writeMigrations(ctx, p.stdout, conn)
		}
		state, err := readMigrations(ctx, conn)
		if err != nil {
			return err
		}
		return writeJSON(p.stdout, state)
	})
}

func migrationProgress(w io.Writer) migrations.Progress {
	return func(name, direction string) { fmt.Fprintf(w, "%-4s  %s\n", direction, name) }
}

// migrationState is the state of the schema, of its rights and of the workers.
type migrationState struct {
	migrations.Status
	WrongRights []string         `json:"wrong_rights,omitempty"`         // statements that correct them
	Stopping    []outbox.Program `json:"incompatible_workers,omitempty"` // live ones, after the pending migrations
}

// readMigrations returns the state, without the rights if migrations are pending.
func readMigrations(ctx context.Context, conn *pgx.Conn) (s migrationState, err error) {
	if s.Status, err = migrations.Read(ctx, conn); err != nil {
		return s, err
	}
	if len(s.Pending) == 0 && s.Current == s.Latest {
		if s.WrongRights, err = migrations.WrongRights(ctx, conn); err != nil {
			return s, err
		}
	}
	s.Stopping, err = workersOlderThan(ctx, conn, s.AfterUp())
	return s, err
}

func writeMigrations(ctx context.Context, w io.Writer, conn *pgx.Conn) error {
	s, err := readMigrations(ctx, conn)
	if err != nil {
		return err
	}
	switch {
	case s.Current > s.Latest:
		fmt.Fprintf(w, "The database is at migration %d; this version of fanfare has only %d.\n", s.Current, s.Latest)
	case len(s.Pending) == 0:
		fmt.Fprintf(w, "The database is at migration %d, the latest.\n", s.Current)
	default:
		fmt.Fprintf(w, "The database is at migration %d of %d. Pending:\n", s.Current, s.Latest)
	}
	for _, pending := range s.Pending {
		if s.Current == 0 {
			fmt.Fprintf(w, "  %s\n", pending.Name)
			continue
		}
		fmt.Fprintf(w, "  %s: programs from migration %d on work with it\n", pending.Name, pending.OldestProgram)
	}
	if s.Current > 0 {
		fmt.Fprintf(w, "Programs from migration %d on work with the database.\n", s.OldestProgram)
	}
	if len(s.Stopping) > 0 {
		fmt.Fprintf(w, "Live workers that do not work with migration %d: %s.\n",
			max(s.Current, s.Latest), describePrograms(s.Stopping))
	}
	if s.WriterRole != "" {
		fmt.Fprintf(w, "Services record with the rights of the role %s.\n", s.WriterRole)
	}
	if s.DirectoryRole != "" {
		fmt.Fprintf(w, "The directory is read with the rights of the role %s.\n", s.DirectoryRole)
	}
	if len(s.WrongRights) > 0 {
		fmt.Fprintf(w, "Roles, owners or grants are wrong in %d places. Run fanfare migrate repair:\n",
			len(s.WrongRights))
		for _, sql := range s.WrongRights {
			fmt.Fprintf(w, "  %s;\n", sql)
		}
	}
	return nil
}
