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
	exitUsage   = 2 // the command line or a setting is invalid
)

// process is the part of the operating system's process that commands use.
type process struct {
	stdin          io.Reader // nil if there is no standard input
	stdout, stderr io.Writer
	environ        []string // "name=value"; the last entry of a name takes precedence
}

// getenv returns an environment variable, or "" if it is not set.
func (p process) getenv(name string) string {
	for _, entry := range slices.Backward(p.environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// run executes one command line until it completes or ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, p process) int {
	root, started := newRootCommand(p)
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
		fmt.Fprintf(p.stderr, "fanfare: %s\n", printableLines(err.Error()))
		return exitUsage
	case errors.As(err, &usage), !*started:
		fmt.Fprintf(p.stderr, "fanfare: %s\nSee '%s --help'.\n", printableLines(err.Error()), command.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(p.stderr, "fanfare: %s\n", printableLines(err.Error()))
	return exitFailure
}

// The groups of commands in the help.
const (
	groupServers = "servers"
	groupSetup   = "setup"
	groupOperate = "operate"
	groupOther   = "other"
)

// newRootCommand returns the tree of commands. *started becomes true when the command line has been
// parsed and a command begins.
func newRootCommand(p process) (root *cobra.Command, started *bool) {
	started = new(bool)
	root = newGroup("fanfare", "Transactional outbox, notifications and activity log for PostgreSQL and Centrifugo",
		`Fanfare provides a transactional outbox, in-app notifications, an activity feed and an audit log for
PostgreSQL and Centrifugo.

Services record activities in PostgreSQL, in the transaction of the change itself. The worker
stores a notification for each recipient and publishes the activity to Centrifugo. The API server
provides inboxes, subscriptions, preferences and the activity log.

To try it, run 'fanfare dev'. To see it explained, run 'fanfare demo'. To install it, run
'fanfare migrate up', 'fanfare doctor' and 'fanfare run'.

Each setting is a flag and an environment variable; the flag takes precedence.
Exit codes: 0 success, 1 failure, 2 invalid command line or setting.`,
	)
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(),
		"{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}", 1))
	root.Version = release()
	root.SetVersionTemplate(versionLine() + "\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentPreRun = func(*cobra.Command, []string) { *started = true }
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddGroup(&cobra.Group{ID: groupServers, Title: "Servers:"},
		&cobra.Group{ID: groupSetup, Title: "Setup and diagnosis:"},
		&cobra.Group{ID: groupOperate, Title: "Operation:"}, &cobra.Group{ID: groupOther, Title: "Other commands:"})
	root.SetHelpCommandGroupID(groupOther)
	root.SetCompletionCommandGroupID(groupOther)
	addCommands(root, groupServers, newRunCommand(p), newServeCommand(p), newWorkerCommand(p))
	addCommands(root, groupSetup,
		newCapacityCommand(p), newConfigCommand(p), newDemoCommand(p), newDevCommand(p),
		acrossCells(p, newDoctorCommand),
		newMigrateCommand(p), newTokenCommand(p))
	addCommands(root, groupOperate,
		newActivityCommand(p), newCellsCommand(p), newConsoleCommand(p), newExplainCommand(p),
		newNotificationsCommand(p), newOutboxCommand(p), newPreferencesCommand(p), newRetentionCommand(p),
		newSubscriptionsCommand(p), newTaxonomyCommand(p), newTenantCommand(p), newWatchLevelsCommand(p))
	addCommands(root, groupOther, newVersionCommand(p))
	return root, started
}

// addCommands adds commands to a group of the help.
func addCommands(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
	}
	root.AddCommand(commands...)
}

// newGroup returns a command that only has subcommands. It prints its help when it is called alone.
func newGroup(name, short, long string) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Long:  long,
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
}

// usageError is an error of the command line that the command itself detects.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }
