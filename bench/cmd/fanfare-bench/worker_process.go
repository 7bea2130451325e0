package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/daemon"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// startWorkerProcess runs what the command "fanfare worker" runs, in a process of its own.
func startWorkerProcess(db *stack.Database, server *devstack.Centrifugo) (*child, error) {
	return startChild("worker", databaseVariable+"="+db.URL, apiVariable+"="+server.APIURLs(),
		keyVariable+"="+server.APIKey())
}

// newWorkerProcess returns the hidden subcommand of startWorkerProcess.
func newWorkerProcess() *cobra.Command { return newChild("worker", runDaemon) }

func runDaemon(ctx context.Context) error {
	values := map[string]string{
		"FANFARE_DATABASE_URL":       os.Getenv(databaseVariable),
		"FANFARE_CENTRIFUGO_API_URL": os.Getenv(apiVariable),
		"FANFARE_CENTRIFUGO_API_KEY": os.Getenv(keyVariable),
		"FANFARE_METRICS_LISTEN":     "127.0.0.1:0",
		"FANFARE_LOG_LEVEL":          "warn",
		"FANFARE_LOG_FORMAT":         "console",
	}
	loaded := config.Load(config.Worker(), pflag.NewFlagSet("", pflag.ContinueOnError), func(name string) string {
		return values[name] // not the variables of this process
	})
	if err := loaded.Validate(); err != nil {
		return err
	}
	log, err := daemon.NewLogger(&loaded.Config, os.Stderr)
	if err != nil {
		return err
	}
	d, err := daemon.New(ctx, daemon.Options{
		Role: daemon.Worker, Config: &loaded.Config, Version: "bench", Logger: log,
	})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stdout, "running")
	return d.Run(ctx)
}
