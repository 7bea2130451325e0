package stack

import (
	"os/exec"
	"runtime"
	"sync"
)

// Process is a child that dies with this process.
type Process struct {
	Cmd  *exec.Cmd
	done chan struct{}
	kill sync.Once
}

// StartProcess starts cmd, which must be new.
//
// The kernel takes the death of the thread that forked for the death of the parent, so that thread
// is held until the child has ended.
func StartProcess(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = dieWithParent()
	p := &Process{Cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the child by SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	p.kill.Do(func() { _ = p.Cmd.Process.Kill() })
	<-p.done
}
