// Command fanfare is Fanfare's daemon and its operator's tool.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(untilSignalled()) }

// untilSignalled ends the context at the first SIGINT or SIGTERM. The second one ends the process as if nobody listened.
func untilSignalled() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], process{stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()})
}
