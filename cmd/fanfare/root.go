package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/config"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // the command line or a setting is wrong
)

// process is what a command has of the process that it runs in.
type process struct {
	stdin          io.Reader // nil: there is none
	stdout, stderr io.Writer
	environ        []string // "name=value"; the later of two with one name counts
}

// getenv returns a variable of the environment, "" when there is none.
func (p process) getenv(name string) string {
	for _, entry := range slices.Backward(p.environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// run runs one command line until it is done or ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, p process) int {
	root, running := newRootCommand(p)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	var usage *usageError
	var invalid *config.Error
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(p.stderr, "fanfare: interrupted")
		return exitFailure
	case errors.As(err, &invalid):
		fmt.Fprintf(p.stderr, "fanfare: %v\n", err)
		return exitUsage
	case errors.As(err, &usage), !*running:
		fmt.Fprintf(p.stderr, "fanfare: %v\nSee '%s --help'.\n", err, command.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(p.stderr, "fanfare: %v\n", err)
	return exitFailure
}

// newRootCommand makes the whole tree. *running turns true once the command line proved right and a
// command begins.
func newRootCommand(p process) (root *cobra.Command, running *bool) {
	running = new(bool)
	root = newGroup(
		"fanfare",
		"Tells the right people, live, what changed",
		`Fanfare delivers the activities that services record in PostgreSQL, in the transaction of the change
itself, to the people who watch: to their inboxes, and over Centrifugo to their screens.

Each setting is a flag or an environment variable; the flag wins.
Exit codes: 0 done, 1 failed, 2 wrong command line or setting.`,
	)
	root.Version = release()
	root.SetVersionTemplate(versionLine() + "\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentPreRun = func(*cobra.Command, []string) { *running = true }
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddCommand(
		newMigrateCommand(p),
		newRunCommand(p),
		newWorkerCommand(p),
		newServeCommand(p),
		newTokenCommand(p),
		newOutboxCommand(p),
		newActivityCommand(p),
		newRetentionCommand(p),
		newTaxonomyCommand(p),
		newConfigCommand(p),
		newDoctorCommand(p),
		newDemoCommand(p),
		newVersionCommand(p),
	)
	return root, running
}

// newGroup makes a command that only holds others, and shows its help when called alone.
func newGroup(name, short, long string) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Long:  long,
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
}

// usageError is a mistake on the command line that only the command itself could see.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }
