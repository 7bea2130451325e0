package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// child is a hidden subcommand of this program in a process of its own. It runs while its standard
// input is open.
type child struct {
	process *devstack.Process
	input   io.Closer
	line    string // the first line of its output, printed when it is ready
}

// newChild returns a hidden subcommand for startChild. It runs until its standard input is closed.
func newChild(use string, run func(ctx context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use:    use,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
			return run(ctx)
		},
	}
}

// startChild returns when the child is ready. variables are added to its environment, which other
// users cannot read.
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
	return &child{process: p, input: in, line: strings.TrimSpace(line)}, nil
}

// usage returns the resources that the process uses.
func (c *child) usage() (stack.Usage, error) { return stack.ReadUsage(c.process.PID()) }

// stop closes the child's input, and kills it if it does not end in time.
func (c *child) stop() {
	_ = c.input.Close()
	select {
	case <-c.process.Done():
	case <-time.After(5 * time.Second):
		_ = c.process.Kill()
	}
}
