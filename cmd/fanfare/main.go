// Command fanfare is Fanfare's daemon and its operator's tool.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx := untilSignalled(syscall.SIGINT, syscall.SIGTERM)
	os.Exit(
		run(ctx, os.Args[1:], process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}),
	)
}

// untilSignalled returns a context that ends at the first of these signals. By then a second one
// ends the process as if nobody listened, which signal.NotifyContext could only promise for a
// moment later.
func untilSignalled(these ...os.Signal) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, these...)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}
