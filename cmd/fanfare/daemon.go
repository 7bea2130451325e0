package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/daemon"
	"github.com/fanfarehq/fanfare/internal/database"
)

func newRunCommand(p process) *cobra.Command {
	return withDaemon(p, daemon.Both, config.Run(), &cobra.Command{
		Use:   "run",
		Short: "Run the worker and the API server in one process",
		Long: `Run what fanfare worker and fanfare serve run, in one process.

Any number of processes may run on one database, next to separate workers and API servers. On
SIGINT or SIGTERM the process finishes the batches and requests in progress, for at most 10
seconds. A second signal terminates it immediately, without loss of activities.`,
		Example: `  fanfare run --metrics-listen :9100`,
	})
}

func newWorkerCommand(p process) *cobra.Command {
	return withDaemon(p, daemon.Worker, config.Worker(), &cobra.Command{
		Use:   "worker",
		Short: "Run the worker, which delivers activities from the outbox",
		Long: `Run the worker. It claims activities from the outbox, resolves their recipients, stores
notifications and publishes events to Centrifugo.

Any number of workers may run on one database. While PostgreSQL or Centrifugo is unavailable, the
worker waits and retries. On SIGINT or SIGTERM it finishes the batches in progress, for at most 10
seconds. A second signal terminates it immediately, without loss of activities.`,
		Example: `  fanfare worker --workers 8 --metrics-listen :9100`,
	})
}

func newServeCommand(p process) *cobra.Command {
	return withDaemon(p, daemon.Server, config.Serve(), &cobra.Command{
		Use:   "serve",
		Short: "Run the API server",
		Long: `Run the API server: the HTTP API for clients, services and operators.

At least one kind of credential must be accepted. Service tokens are accepted by default; JWTs and
identity headers of a gateway are accepted if their settings are set.

Any number of servers may run on one database. On SIGINT or SIGTERM the server finishes the
requests in progress, for at most 10 seconds. Clients of a stream reconnect and resume it without
loss of events.`,
		Example: `  fanfare serve --listen :8080 --jwt-issuer https://id.example.com --jwt-audience fanfare \
    --jwt-jwks-url https://id.example.com/keys`,
	})
}

// withDaemon makes command run a daemon.
func withDaemon(p process, role daemon.Role, settings []config.Setting, command *cobra.Command) *cobra.Command {
	return withSettings(p, command, settings, func(ctx context.Context, c *config.Config) error {
		log, err := daemon.NewLogger(c, p.stderr)
		if err != nil {
			return err
		}
		d, err := daemon.New(ctx, daemon.Options{Role: role, Config: c, Version: release(), Logger: log})
		if err != nil {
			return err
		}
		return database.Explain(d.Run(ctx))
	})
}
