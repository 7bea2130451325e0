// Command fanfare runs Fanfare's daemons and operates an installation.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	// The root certificates that the program trusts where the system has none, as in its image.
	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/fanfarehq/fanfare/internal/heap"
)

func main() {
	heap.Keep()
	ctx := untilSignal(syscall.SIGINT, syscall.SIGTERM)
	p := process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	os.Exit(run(ctx, os.Args[1:], p))
}

// untilSignal returns a context that ends at the first of the signals. A second signal terminates
// the process, because the handlers are removed before the context ends. signal.NotifyContext
// removes them only afterwards.
func untilSignal(signals ...os.Signal) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	received := make(chan os.Signal, 1)
	signal.Notify(received, signals...)
	go func() {
		<-received
		signal.Stop(received)
		cancel()
	}()
	return ctx
}
