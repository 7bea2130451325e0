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

// startTimeout bounds how long a server may take until it answers.
const startTimeout = time.Minute

// server is a child that can be taken down and brought back. Its methods are
// safe for concurrent use.
type server struct {
	name string
	dir  *workdir
	log  *tail
	as   *account
	// command makes what to run, and ready tells whether the child with this
	// process id serves.
	command func() *exec.Cmd
	ready   func(ctx context.Context, pid int) bool
	// stopSignals end the child in good order, each more urgent than the last;
	// crashSignal ends it at once, also when this process dies.
	stopSignals []syscall.Signal
	crashSignal syscall.Signal

	mu      sync.Mutex
	child   *Process // nil when it is down
	removed bool
}

// startSomewhere starts the server on ports that choose has chosen, on others
// if another process took one in between.
func (s *server) startSomewhere(ctx context.Context, choose func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.insist(ctx, func() error {
		if err := choose(); err != nil {
			return err
		}
		return s.start(ctx)
	})
}

// crash takes the server down at once.
func (s *server) crash(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(ctx, s.crashSignal)
}

// restart takes the server down in good order, if it is up, and starts it
// again on the same ports.
func (s *server) restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return fmt.Errorf("start %s: it was stopped for good", s.name)
	}
	if err := s.end(ctx, s.stopSignals...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return s.insist(ctx, func() error { return s.start(ctx) })
}

// stop ends the server for good and removes its directory.
func (s *server) stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return nil
	}
	s.removed = true
	return errors.Join(s.end(ctx, s.stopSignals...), s.dir.remove())
}

// insist tries again for as long as another process is on the port.
func (s *server) insist(ctx context.Context, start func() error) error {
	for {
		err := start()
		if err == nil || ctx.Err() != nil ||
			!strings.Contains(strings.ToLower(s.log.String()), "address already in use") {
			return err
		}
	}
}

// start starts the child and waits until it serves.
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
			return fmt.Errorf("it ended: %w", child.err)
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
