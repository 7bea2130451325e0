package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// DaemonOptions describe a daemon of Fanfare.
type DaemonOptions struct {
	Program []string          // fanfare, after what runs it, if anything
	Command string            // run, serve or worker
	Env     map[string]string // its settings, by the names of their variables
	Output  io.Writer         // receives the log
}

// Daemon is a process of Fanfare. Its methods are safe for concurrent use.
type Daemon struct {
	options     DaemonOptions
	port        int // of the API
	metricsPort int
	server      *server
}

// StartDaemon returns when the daemon is ready. ctx limits the start only; the daemon runs until
// Stop.
func StartDaemon(ctx context.Context, options DaemonOptions) (*Daemon, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	dir, err := newWorkdir(true)
	if err != nil {
		return nil, fmt.Errorf("start fanfare %s: %w", options.Command, err)
	}
	d := &Daemon{options: options}
	d.server = &server{
		name:        "fanfare " + options.Command,
		dir:         dir,
		log:         &tail{next: options.Output},
		command:     d.serve,
		ready:       func(ctx context.Context, _ int) bool { return answers(ctx, d.ReadyURL()) },
		stopSignals: []syscall.Signal{syscall.SIGTERM},
		crashSignal: syscall.SIGKILL,
	}
	if err := d.server.startOnFreePorts(ctx, d.configure); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return d, nil
}

// Address returns the host and port of the API.
func (d *Daemon) Address() string { return local(d.port) }

// ReadyURL returns the URL that answers 200 while the daemon is ready.
func (d *Daemon) ReadyURL() string { return "http://" + local(d.metricsPort) + "/readyz" }

// String returns the command and the address of the API.
func (d *Daemon) String() string { return "fanfare " + d.options.Command + " at " + d.Address() }

// Kill ends the daemon by SIGKILL.
func (d *Daemon) Kill(ctx context.Context) error { return d.server.crash(ctx) }

// Restart stops the daemon, if it runs, and starts it on the same ports.
func (d *Daemon) Restart(ctx context.Context) error { return d.server.restart(ctx) }

// Stop stops the daemon. Further calls do nothing.
func (d *Daemon) Stop(ctx context.Context) error { return d.server.stop(ctx) }

// AwaitEnd returns when the daemon has ended by itself: its exit code and the end of its log.
func (d *Daemon) AwaitEnd(ctx context.Context) (exitCode int, log string, err error) {
	d.server.mu.Lock()
	child := d.server.child
	d.server.mu.Unlock()
	if child == nil {
		return 0, "", fmt.Errorf("%v does not run", d)
	}
	select {
	case <-child.done:
		return child.cmd.ProcessState.ExitCode(), d.server.log.String(), nil
	case <-ctx.Done():
		return 0, d.server.log.String(), fmt.Errorf("wait for the end of %v: %w", d, ctx.Err())
	}
}

func (d *Daemon) configure() (err error) {
	if d.port, err = d.server.ports.port(); err != nil {
		return err
	}
	d.metricsPort, err = d.server.ports.port()
	return err
}

func (d *Daemon) serve() *exec.Cmd {
	args := append(slices.Clone(d.options.Program[1:]), d.options.Command)
	cmd := exec.Command(d.options.Program[0], args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "FANFARE_METRICS_LISTEN=" + local(d.metricsPort), "FANFARE_LISTEN=" + d.Address(),
	}
	for name, value := range d.options.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// answers reports whether a server answers a request with 200.
func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
