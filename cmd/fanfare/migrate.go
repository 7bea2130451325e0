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
	group := newGroup(
		"migrate",
		"Make, update or remove the database schema",
		"Makes, updates or removes Fanfare's schema. PostgreSQL 15 or newer.",
	)
	group.AddCommand(newMigrateUpCommand(p), newMigrateDownCommand(p), newMigrateStatusCommand(p))
	return group
}

func newMigrateUpCommand(p process) *cobra.Command {
	return withConn(p, &cobra.Command{
		Use:   "up",
		Short: "Apply the migrations that are missing",
	}, func(ctx context.Context, conn *pgx.Conn) error {
		if err := migrations.Up(ctx, conn, said(p.stdout)); err != nil {
			return err
		}
		return writeMigrations(ctx, p.stdout, conn)
	})
}

func newMigrateDownCommand(p process) *cobra.Command {
	to, yes := 0, false
	command := &cobra.Command{
		Use:   "down --to N",
		Short: "Take migrations back",
		Long: `Takes the database back to migration N and removes what the later ones made, with all that is in it.
Zero removes everything that is Fanfare's, every recorded activity too, and needs --yes.`,
		PreRunE: func(command *cobra.Command, _ []string) error {
			switch {
			case !command.Flags().Changed("to"):
				return &usageError{"--to is missing: say which migration to go back to"}
			case to < 0:
				return &usageError{"--to must not be negative"}
			case to == 0 && !yes:
				return &usageError{"going back to 0 removes every recorded activity: say --yes to mean it"}
			}
			return nil
		},
	}
	command.Flags().IntVar(&to, "to", 0, "the migration to go back to")
	command.Flags().BoolVar(&yes, "yes", false, "remove everything, when --to is 0")
	return withConn(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		if err := migrations.Down(ctx, conn, to, said(p.stdout)); err != nil {
			return err
		}
		return writeMigrations(ctx, p.stdout, conn)
	})
}

func newMigrateStatusCommand(p process) *cobra.Command {
	asJSON := false
	command := &cobra.Command{
		Use:   "status",
		Short: "Say which migrations are applied and which are missing",
	}
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
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

func said(w io.Writer) migrations.Progress {
	return func(name, direction string) { fmt.Fprintf(w, "%-4s  %s\n", direction, name) }
}

func writeMigrations(ctx context.Context, w io.Writer, conn *pgx.Conn) error {
	status, err := migrations.Read(ctx, conn)
	if err != nil {
		return err
	}
	switch {
	case status.Current > status.Latest:
		fmt.Fprintf(w, "The database is at migration %d; this binary knows only %d.\n", status.Current, status.Latest)
	case len(status.Pending) == 0:
		fmt.Fprintf(w, "The database is at migration %d, the latest.\n", status.Current)
	default:
		fmt.Fprintf(w, "The database is at migration %d of %d. Missing:\n", status.Current, status.Latest)
		for _, name := range status.Pending {
			fmt.Fprintf(w, "  %s\n", name)
		}
	}
	return nil
}
