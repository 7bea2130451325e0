// Teststack runs a command, such as go test ./..., with a PostgreSQL that all of its processes
// share, and stops the server when the command ends.
//
//	teststack go test ./...
//	teststack -postgres
//	teststack -centrifugo
//
// The second form prints the directory of PostgreSQL's programs, the third the path of a Centrifugo
// that needs no building. Both fail if there is none.
//
// The command's environment contains FANFARE_TEST_DATABASE_URL, the superuser's URL of the server,
// and FANFARE_CENTRIFUGO_BIN, the path of Centrifugo. Variables that are set already are not
// changed. SIGINT, SIGTERM and SIGHUP are forwarded to all processes of the command. The exit code
// is the command's, or 128 plus the number of the signal that ended it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
)

const (
	databaseVariable   = "FANFARE_TEST_DATABASE_URL"
	centrifugoVariable = "FANFARE_CENTRIFUGO_BIN"

	stopTimeout = 30 * time.Second // of the server
	gracePeriod = 10 * time.Second // of the command after a signal
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	code, err := run(args, os.Environ(), signals, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "teststack:", err)
	}
	os.Exit(code)
}

// run returns the command's exit code, which is not 0 if there is an error.
func run(args, environment []string, signals <-chan os.Signal, log io.Writer) (code int, err error) {
	if len(args) == 0 {
		return 2, errors.New("usage: teststack command [argument...] | teststack -postgres | teststack -centrifugo")
	}
	switch args[0] {
	case "-postgres":
		return printFound(log, func() (string, error) { return devstack.FindPostgres(context.Background(), "") })
	case "-centrifugo":
		return printFound(log, devstack.InstalledCentrifugo)
	}
	started := time.Now()
	if !has(environment, centrifugoVariable) {
		binary, err := devstack.FindCentrifugo("")
		if err != nil {
			return 1, err
		}
		environment = append(environment, centrifugoVariable+"="+binary)
	}
	if !has(environment, databaseVariable) {
		server, err := startPostgres(signals)
		if err != nil {
			return 1, err
		}
		defer func() {
			if stopErr := stop(server); stopErr != nil {
				code, err = max(code, 1), errors.Join(err, stopErr)
			}
		}()
		environment = append(environment, databaseVariable+"="+server.URL("postgres"))
		fmt.Fprintf(log, "teststack: %v, started in %v\n", server, since(started))
	}
	started = time.Now()
	code, err = execute(args, environment, signals)
	fmt.Fprintf(log, "teststack: %s: exit %d after %v\n", args[0], code, since(started))
	return code, err
}

// printFound prints the path that find returns.
func printFound(log io.Writer, find func() (string, error)) (code int, err error) {
	path, err := find()
	if err != nil {
		return 1, err
	}
	fmt.Fprintln(log, path)
	return 0, nil
}

// startPostgres starts the server. A signal cancels the start.
func startPostgres(signals <-chan os.Signal) (*devstack.Postgres, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-signals:
			cancel()
		case <-done:
		}
	}()
	server, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{
		// Enough for many packages in parallel on a large machine.
		Settings: map[string]string{"max_connections": "1000"},
	})
	close(done)
	<-watched
	if err == nil && ctx.Err() != nil { // the signal arrived after the start
		err = errors.Join(ctx.Err(), stop(server))
	}
	return server, err
}

func stop(server *devstack.Postgres) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return server.Stop(ctx)
}

// execute runs the command in a process group of its own and kills what is left of the group when
// the command ends.
func execute(args, environment []string, signals <-chan os.Signal) (code int, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 127, err
	}
	group := -cmd.Process.Pid
	defer func() { _ = syscall.Kill(group, syscall.SIGKILL) }() // fails if the group is empty
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var expired <-chan time.Time
	for {
		select {
		case sig := <-signals:
			_ = syscall.Kill(group, sig.(syscall.Signal))
			expired = time.After(gracePeriod)
		case <-expired:
			_ = syscall.Kill(group, syscall.SIGKILL)
		case err := <-ended:
			return exitCode(err)
		}
	}
}

func exitCode(ended error) (int, error) {
	var exit *exec.ExitError
	switch {
	case ended == nil:
		return 0, nil
	case !errors.As(ended, &exit):
		return 1, ended
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// has reports whether the environment contains a value of the variable.
func has(environment []string, variable string) bool {
	for _, entry := range environment {
		if value, ok := strings.CutPrefix(entry, variable+"="); ok && value != "" {
			return true
		}
	}
	return false
}

func since(started time.Time) time.Duration { return time.Since(started).Round(10 * time.Millisecond) }
