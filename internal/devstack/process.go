package devstack

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// grace is how long a child may take over one signal before the next,
// stronger one.
const grace = 10 * time.Second

// process is a running child. It dies with its parent where the system can do
// that, see procAttr.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child has ended
	err  error         // how it ended; set before done is closed
}

// startProcess starts cmd, which must be new, and reaps it when it ends. If
// this process dies, the child is sent onParentDeath.
//
// The kernel takes the death of the thread that forked for the death of the
// parent, so that thread is held until the child has ended.
func startProcess(cmd *exec.Cmd, as *account, onParentDeath syscall.Signal) (*process, error) {
	cmd.SysProcAttr = procAttr(as, onParentDeath)
	cmd.WaitDelay = 2 * time.Second
	p := &process{cmd: cmd, done: make(chan struct{})}
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

// wait returns how the child ended. When ctx ends first the child is killed.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		_ = p.end(ctx, syscall.SIGKILL)
		return ctx.Err()
	}
}

// end sends the signals one after the other, each after the last one's grace,
// then SIGKILL, and returns when the child has ended. The end of ctx cuts the
// grace short. It fails only if the child outlives SIGKILL.
func (p *process) end(ctx context.Context, signals ...syscall.Signal) error {
	for _, signal := range signals {
		_ = p.cmd.Process.Signal(signal) // fails only when it has ended
		select {
		case <-p.done:
			return nil
		case <-ctx.Done():
		case <-time.After(grace):
		}
	}
	_ = p.cmd.Process.Kill()
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
		return fmt.Errorf("process %d does not end", p.cmd.Process.Pid)
	}
}
