package devstack

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// gracePeriod is the time that a child has to react to a signal before the next, stronger one.
const gracePeriod = 10 * time.Second

// Process is a running child process. On Linux the kernel ends it when its parent dies. Its
// methods are safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child has ended
	err  error         // how it ended; set before done is closed
}

// StartProcess starts cmd, which must be new, as a child that is killed when this process dies.
func StartProcess(cmd *exec.Cmd) (*Process, error) { return startProcess(cmd, nil, syscall.SIGKILL) }

// startProcess starts cmd, which must be new, and reaps it when it ends. If this process dies, the
// child receives onParentDeath.
//
// The kernel treats the death of the thread that forked as the death of the parent, so that thread
// is held until the child has ended.
func startProcess(cmd *exec.Cmd, as *account, onParentDeath syscall.Signal) (*Process, error) {
	cmd.SysProcAttr = procAttr(as, onParentDeath)
	cmd.WaitDelay = 2 * time.Second
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID returns the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done returns a channel that is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the child by SIGKILL and returns when it has ended. It fails only if the child
// outlives the signal.
func (p *Process) Kill() error { return p.end(context.Background()) }

// wait returns how the child ended. When ctx ends first the child is killed.
func (p *Process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		_ = p.end(ctx, syscall.SIGKILL)
		return ctx.Err()
	}
}

// end sends the signals one after the other, each a grace period after the previous one, then
// SIGKILL, and returns when the child has ended. The end of ctx cuts the grace periods short. It
// fails only if the child outlives SIGKILL.
func (p *Process) end(ctx context.Context, signals ...syscall.Signal) error {
	for _, signal := range signals {
		_ = p.cmd.Process.Signal(signal) // fails only when it has ended
		select {
		case <-p.done:
			return nil
		case <-ctx.Done():
		case <-time.After(gracePeriod):
		}
	}
	_ = p.cmd.Process.Kill()
	select {
	case <-p.done:
		return nil
	case <-time.After(gracePeriod):
		return fmt.Errorf("process %d does not end", p.cmd.Process.Pid)
	}
}
