package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
)

// connectTimeout bounds the making of a connection, unless the URL sets connect_timeout.
const connectTimeout = 5 * time.Second

// withConn does something on a connection of its own.
func withConn(ctx context.Context, c *Config, do func(conn *pgx.Conn) error) error {
	config, err := pgx.ParseConfig(c.DatabaseURL)
	if err != nil {
		return errUnreadableURL
	}
	prepare(&config.Config)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return explained(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return explained(do(conn))
}

// withPool makes a command of command and what it does with the database.
func withPool(
	p process,
	command *cobra.Command,
	do func(ctx context.Context, pool *pgxpool.Pool) error,
) *cobra.Command {
	return withSettings(
		p,
		command,
		databaseSettings(),
		func(ctx context.Context, pool *pgxpool.Pool, _ *Config) error { return do(ctx, pool) },
	)
}

// withSettings is withPool for a command that has more settings than the database's, which must be
// among them.
func withSettings(
	p process,
	command *cobra.Command,
	settings []setting,
	do func(ctx context.Context, pool *pgxpool.Pool, c *Config) error,
) *cobra.Command {
	addFlags(command.Flags(), settings)
	if command.Args == nil {
		command.Args = cobra.NoArgs
	}
	command.RunE = func(command *cobra.Command, _ []string) error {
		config := load(settings, command.Flags(), p.getenv)
		if err := config.Validate(); err != nil {
			return err
		}
		pool, err := openPool(command.Context(), &config.Config, 2)
		if err != nil {
			return err
		}
		defer pool.Close()
		return explained(do(command.Context(), pool, &config.Config))
	}
	return command
}

// openPool returns a pool of at most so many connections. It connects when it is first used.
func openPool(ctx context.Context, c *Config, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(c.DatabaseURL)
	if err != nil {
		return nil, errUnreadableURL
	}
	prepare(&config.ConnConfig.Config)
	config.MaxConns = int32(connections)
	config.MinConns = min(config.MinConns, config.MaxConns)
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		registerTypes(conn.TypeMap())
		return nil
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// registerTypes says which type of the database's the ids have that statements are given. A
// connection that does not ask the database for it, as default_query_exec_mode=exec has it behind a
// pooler, cannot know.
func registerTypes(types *pgtype.Map) {
	for _, id := range []any{[16]byte{}, uuid.UUID{}, zeronull.UUID{}} {
		types.RegisterDefaultPgType(id, "uuid")
	}
	for _, ids := range []any{[][16]byte(nil), []uuid.UUID(nil), []zeronull.UUID(nil)} {
		types.RegisterDefaultPgType(ids, "_uuid")
	}
}

// errUnreadableURL stands for an error that may hold the password.
var errUnreadableURL = errors.New("the database URL cannot be read")

func prepare(config *pgconn.Config) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "fanfare"
	}
}
