// Command fanfare-bench measures Fanfare on this machine: rates, latencies, and the costs of
// recording, reading and purging. Each subcommand starts a PostgreSQL, and a Centrifugo if it needs
// one, and removes them. README.md describes the benchmarks.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/heap"
)

func main() {
	heap.Keep()       // as fanfare does
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
		newCompare(),
		newReport(),
		newDrain(),
		newCosts(),
		newConsumer(),
		newPeers(),
		newSameJob(),
		newHeld(),
		newLatency(),
		newEngines(),
		newIdle(),
		newWide(),
		newGrowth(),
		newFairness(),
		newAPI(),
		newInbox(),
		newReaders(),
		newLog(),
		newIndexes(),
		newWrite(),
		newPurge(),
		newServer(),
		newWorkerProcess(),
		newExport(),
	)
	return root
}
