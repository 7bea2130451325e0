package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// The environment variables that describe a worker process. Other users cannot read them.
const (
	databaseVariable = "FANFARE_ACCEPTANCE_WORKER_DATABASE_URL"
	apiVariable      = "FANFARE_ACCEPTANCE_WORKER_CENTRIFUGO_API_URL"
	keyVariable      = "FANFARE_ACCEPTANCE_WORKER_CENTRIFUGO_API_KEY"
)

// StartWorker runs a worker in a process of its own and returns when it runs. The process executes
// this program again, which must call Main first. It ends when this process does.
func StartWorker(databaseURL string, server *devstack.Centrifugo) (*devstack.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(),
		databaseVariable+"="+databaseURL, apiVariable+"="+server.APIURLs(), keyVariable+"="+server.APIKey())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if _, err := cmd.StdinPipe(); err != nil { // open as long as this process runs
		return nil, err
	}
	p, err := devstack.StartProcess(cmd)
	if err != nil {
		return nil, err
	}
	if _, err := out.Read(make([]byte, 16)); err != nil {
		return nil, errors.Join(fmt.Errorf("the worker process did not start: %w", err), p.Kill())
	}
	return p, nil
}

// Main runs a worker if StartWorker started this process, or moves a tenant if Move started it, and
// does not return then. A program that uses one of them calls it first, a test from TestMain.
func Main() {
	databaseURL, order := os.Getenv(databaseVariable), os.Getenv(moverVariable)
	run, name := func(ctx context.Context) error { return runWorker(ctx, databaseURL) }, "worker"
	switch {
	case order != "":
		run, name = func(ctx context.Context) error { return runMover(ctx, order) }, "move"
	case databaseURL == "":
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runWorker runs until ctx ends or standard input is closed.
func runWorker(ctx context.Context, databaseURL string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
	publisher, err := centrifugo.New(centrifugo.Options{
		APIURL: os.Getenv(apiVariable), APIKey: os.Getenv(keyVariable),
	})
	if err != nil {
		return err
	}
	defer publisher.Close()
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	if err != nil {
		return err
	}
	pool, err := openPool(ctx, databaseURL, 10)
	if err != nil {
		return err
	}
	defer pool.Close()
	applied, err := taxonomy.Load(ctx, pool)
	if err != nil {
		return err
	}
	filter := preferences.NewFilter(nil)
	filter.SetNotify(taxonomy.NotifyByAction(applied.Actions()))
	handler := fanout.New(publisher, channels, filter, fanout.Options{})
	worker := outbox.NewWorker(pool, handler, outbox.Options{Logger: warnings()})
	fmt.Println("running")
	return worker.Run(ctx)
}

// warnings returns a logger that writes warnings and errors to standard error.
func warnings() *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), zap.WarnLevel))
}
