package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/migrations"
)

// poolConnections is the maximum number of connections of a command that is not a daemon.
const poolConnections = 2

// withConn makes command run with one connection to the database.
func withConn(
	p process, command *cobra.Command, run func(ctx context.Context, conn *pgx.Conn) error,
) *cobra.Command {
	return withConfig(p, command, config.Database(), func(ctx context.Context, c *config.Config) error {
		conn, err := database.Connect(ctx, c.DatabaseURL)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		return run(ctx, conn)
	})
}

// withSession makes command run with one connection that has a session of its own. The command
// fails behind a pooler in transaction mode.
func withSession(
	p process, command *cobra.Command, run func(ctx context.Context, conn *pgx.Conn) error,
) *cobra.Command {
	return withConn(p, command, func(ctx context.Context, conn *pgx.Conn) error {
		if err := database.RequireSession(ctx, conn); err != nil {
			return err
		}
		return run(ctx, conn)
	})
}

// withPool makes command run with a pool of connections to the database.
func withPool(
	p process, command *cobra.Command, run func(ctx context.Context, pool *pgxpool.Pool) error,
) *cobra.Command {
	return withConfig(p, command, config.Database(), func(ctx context.Context, c *config.Config) error {
		return usePool(ctx, c, func(pool *pgxpool.Pool) error { return run(ctx, pool) })
	})
}

// usePool calls use with a pool of connections, which it closes afterwards. It fails if this
// program does not work with the schema of the database.
func usePool(ctx context.Context, c *config.Config, use func(pool *pgxpool.Pool) error) error {
	return useAnyPool(ctx, c, func(pool *pgxpool.Pool) error {
		if err := migrations.Check(ctx, pool); err != nil {
			return err
		}
		return use(pool)
	})
}

// useAnyPool is usePool for any schema.
func useAnyPool(ctx context.Context, c *config.Config, use func(pool *pgxpool.Pool) error) error {
	pool, err := database.Open(ctx, c.DatabaseURL, poolConnections)
	if err != nil {
		return err
	}
	defer pool.Close()
	return use(pool)
}

// addSettings adds the flags of settings, and the help of those without a flag.
func addSettings(command *cobra.Command, settings []config.Setting) {
	config.AddFlags(command.Flags(), settings)
	if help := config.VariablesHelp(settings); help != "" {
		command.Long += "\n\n" + help
	}
}

// withConfig makes command run with valid settings and one database. It adds their flags, and
// explains errors of the database.
func withConfig(
	p process,
	command *cobra.Command,
	settings []config.Setting,
	run func(ctx context.Context, c *config.Config) error,
) *cobra.Command {
	return withSettings(p, command, settings, func(ctx context.Context, c *config.Config) error {
		one, err := databaseOf(ctx, command, c)
		if err != nil {
			return err
		}
		err = database.Explain(run(ctx, one))
		if err != nil && one.Cell != "" && ctx.Value(cellKey{}) == nil {
			err = &cellError{one.Cell, err}
		}
		return err
	})
}

// withSettings makes command run with valid settings. It adds their flags.
func withSettings(
	p process,
	command *cobra.Command,
	settings []config.Setting,
	run func(ctx context.Context, c *config.Config) error,
) *cobra.Command {
	addSettings(command, settings)
	completeCells(p, command)
	if command.Args == nil {
		command.Args = cobra.NoArgs
	}
	command.RunE = func(command *cobra.Command, _ []string) error {
		loaded := config.Load(settings, command.Flags(), p.getenv)
		if err := loaded.Validate(); err != nil {
			return err
		}
		return run(command.Context(), &loaded.Config)
	}
	return command
}
