package main

import (
	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

func newWorkerCommand(p process) *cobra.Command {
	return daemonCommand(p, duties{deliver: true}, workerSettings(), &cobra.Command{
		Use:   "worker",
		Short: "Deliver activities until told to stop",
		Long: `Delivers what services record, until SIGINT or SIGTERM; then it finishes the batches in hand, for at most
10 seconds. A second signal ends it at once, and loses nothing.

Any number of workers may run on one database. PostgreSQL or Centrifugo being away is waited for.`,
	})
}

func newServeCommand(p process) *cobra.Command {
	return daemonCommand(p, duties{serve: true}, serveSettings(), &cobra.Command{
		Use:   "serve",
		Short: "Serve the API until told to stop",
		Long: `Answers people, services and operators over HTTP, until SIGINT or SIGTERM; then it finishes the requests under
way, for at most 10 seconds. Clients that follow a stream are told to come back, and lose nothing.

Any number of processes may serve one database. At least one kind of credential must be accepted: service tokens
are unless they are switched off, JWTs and a gateway's headers are when their settings are made.`,
	})
}

func newRunCommand(p process) *cobra.Command {
	return daemonCommand(p, duties{deliver: true, serve: true}, runSettings(), &cobra.Command{
		Use:   "run",
		Short: "Deliver activities and serve the API in one process",
		Long: `Does what fanfare worker and fanfare serve do, in one process, until SIGINT or SIGTERM; then it finishes what is
under way, for at most 10 seconds. Any number of them may run on one database, beside workers and servers alone.`,
	})
}

// daemonCommand makes a command that runs a daemon.
func daemonCommand(p process, does duties, settings []setting, command *cobra.Command) *cobra.Command {
	command.Args = cobra.NoArgs
	command.RunE = func(command *cobra.Command, _ []string) error {
		config := load(settings, command.Flags(), p.getenv)
		if err := config.Validate(); err != nil {
			return err
		}
		log, err := newLogger(&config.Config, p.stderr)
		if err != nil {
			return err
		}
		d, err := newDaemon(command.Context(), &config.Config, does, log)
		if err != nil {
			return err
		}
		log.Info(
			"fanfare starts",
			zap.String("version", releasedAs()),
			zap.String("command", command.Name()),
			zap.String(
				"database",
				shownDatabase(config.DatabaseURL),
			),
			zap.String("centrifugo", shownURL(config.CentrifugoAPIURL)),
		)
		if err := d.Run(command.Context()); err != nil {
			return err
		}
		log.Info("fanfare has stopped")
		return nil
	}
	addFlags(command.Flags(), settings)
	return command
}
