package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
)

// What a worker process is told by its environment, which others cannot read.
const (
	databaseVariable = "FANFARE_BENCH_DATABASE_URL"
	apiVariable      = "FANFARE_BENCH_CENTRIFUGO_API_URL"
	keyVariable      = "FANFARE_BENCH_CENTRIFUGO_API_KEY"
)

// newWorker is what kills runs and kills: a worker in a process of its own. It ends when its
// standard input does.
func newWorker() *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
			client, err := centrifugo.New(
				centrifugo.Options{APIURL: os.Getenv(apiVariable), APIKey: os.Getenv(keyVariable)},
			)
			if err != nil {
				return err
			}
			defer client.Close()
			handler, err := newFanout(client, fanout.Options{})
			if err != nil {
				return err
			}
			worker, err := startWorker(ctx, os.Getenv(databaseVariable), handler, workerFlags{}, nil)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, worker.stop()) }()
			_, _ = fmt.Fprintln(os.Stdout, "running")
			<-ctx.Done()
			return nil
		},
	}
}
