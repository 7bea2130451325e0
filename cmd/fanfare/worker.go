package main

import (
	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

func newWorkerCommand(p process) *cobra.Command {
	settings := allSettings()
	command := &cobra.Command{
		Use:   "worker",
		Short: "Deliver activities until told to stop",
		Long: `Delivers what services record, until SIGINT or SIGTERM; then it finishes the batches in hand, for at most
10 seconds. A second signal ends it at once, and loses nothing.

Any number of workers may run on one database. PostgreSQL or Centrifugo being away is waited for.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			config := load(settings, command.Flags(), p.getenv)
			if err := config.Validate(); err != nil {
				return err
			}
			log, err := newLogger(&config.Config, p.stderr)
			if err != nil {
				return err
			}
			d, err := newDaemon(command.Context(), &config.Config, log)
			if err != nil {
				return err
			}
			log.Info("fanfare starts", zap.String("version", releasedAs()),
				zap.String("database", shownDatabase(config.DatabaseURL)), zap.String("centrifugo", shownURL(config.CentrifugoAPIURL)),
				zap.Int("workers", config.Workers), zap.Int("batch_size", config.BatchSize))
			if err := d.Run(command.Context()); err != nil {
				return err
			}
			log.Info("fanfare has stopped")
			return nil
		},
	}
	addFlags(command.Flags(), settings)
	return command
}
