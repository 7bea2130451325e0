package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// child is a hidden subcommand of this program in a process of its own. It runs as long as its
// standard input is open.
type child struct {
	process *devstack.Process
	input   io.Closer
	said    string // its first line, with which it said that it runs
}

// startChild starts one. variables are added to its environment, which others cannot read.
func startChild(subcommand string, variables ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, subcommand)
	cmd.Env = append(os.Environ(), variables...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p, err := devstack.StartProcess(cmd)
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the process for %q did not start: %w", subcommand, err), p.Kill())
	}
	return &child{process: p, input: in, said: strings.TrimSpace(line)}, nil
}

// usage is what the process uses at this moment.
func (c *child) usage() (stack.Usage, error) { return stack.ReadUsage(c.process.PID()) }

// stop ends the process, in good order if it can.
func (c *child) stop() {
	_ = c.input.Close()
	select {
	case <-c.process.Done():
	case <-time.After(5 * time.Second):
		_ = c.process.Kill()
	}
}
