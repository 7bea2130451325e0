// Command fanfare-bench measures Fanfare on this machine: how fast it drains, how soon it delivers,
// what an old snapshot costs, and what a crash loses. Each subcommand starts a durable PostgreSQL
// and a Centrifugo of its own and removes them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/acceptance"
)

func main() {
	acceptance.Main() // does not return in a worker process
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanfare-bench:", err)
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "fanfare-bench",
		Short:         "Measure Fanfare on this machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newDrain(),
		newConsumer(),
		newHeld(),
		newLatency(),
		newAPI(),
		newReaders(),
		newLog(),
		newIndexes(),
		newWrite(),
		newPurge(),
		newServer(),
		newExport(),
	)
	return root
}
