package devstack

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startTimeout limits the start of a server.
const startTimeout = time.Minute

// server is a child process that can be stopped and started again. Its methods are safe for
// concurrent use.
type server struct {
	name string
	dir  *workdir
	log  *tail
	as   *account
	// command returns the command to run; ready reports whether the child with the process id
	// accepts connections.
	command func() *exec.Cmd
	ready   func(ctx context.Context, pid int) bool
	// stopSignals stop the child in an orderly way, each more urgent than the previous one;
	// crashSignal ends it immediately, also when this process dies.
	stopSignals []syscall.Signal
	crashSignal syscall.Signal

	mu      sync.Mutex
	ports   reservations
	child   *Process // nil while the server is down
	removed bool
}

// startOnFreePorts starts the server on ports that choose selects, and on others if another process
// has taken one in the meantime.
func (s *server) startOnFreePorts(ctx context.Context, choose func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.retry(ctx, func() error {
		s.ports.release()
		if err := choose(); err != nil {
			return err
		}
		return s.start(ctx)
	})
	if err != nil {
		s.ports.release()
	}
	return err
}

// crash ends the server immediately.
func (s *server) crash(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(ctx, s.crashSignal)
}

// restart stops the server, if it runs, and starts it on the same ports.
func (s *server) restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return fmt.Errorf("start %s: it was stopped and removed", s.name)
	}
	if err := s.end(ctx, s.stopSignals...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return s.retry(ctx, func() error { return s.start(ctx) })
}

// stop stops the server and removes its directory.
func (s *server) stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return nil
	}
	s.removed = true
	defer s.ports.release()
	return errors.Join(s.end(ctx, s.stopSignals...), s.dir.remove())
}

// retry calls start again while it fails because another process uses the port.
func (s *server) retry(ctx context.Context, start func() error) error {
	for {
		err := start()
		if err == nil || ctx.Err() != nil || !portTaken(s.log.String()) {
			return err
		}
	}
}

// portTaken reports whether a server says that another process uses its port: in the system's
// words, or in those of Centrifugo's gRPC API, which leaves the reason out.
func portTaken(log string) bool {
	log = strings.ToLower(log)
	return strings.Contains(log, "address already in use") || strings.Contains(log, "cannot listen to address")
}

// start starts the child and returns when it accepts connections.
func (s *server) start(ctx context.Context) error {
	s.log.reset()
	cmd := s.command()
	cmd.Stdout, cmd.Stderr = s.log, s.log
	child, err := startProcess(cmd, s.as, s.crashSignal)
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	if err := s.awaitReady(ctx, child); err != nil {
		err = errors.Join(err, child.end(ctx, s.crashSignal))
		return fmt.Errorf("start %s: %w\n%s", s.name, err, s.log)
	}
	s.child = child
	return nil
}

func (s *server) awaitReady(ctx context.Context, child *Process) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !s.ready(ctx, child.cmd.Process.Pid) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-child.done:
			return fmt.Errorf("the process ended: %w", child.err)
		case <-tick.C:
		}
	}
	return nil
}

func (s *server) end(ctx context.Context, signals ...syscall.Signal) error {
	if s.child == nil {
		return nil
	}
	if err := s.child.end(ctx, signals...); err != nil {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	s.child = nil
	return nil
}
