package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

// toCellUsage is the help of --to.
const toCellUsage = "name of the cell of --cells to which the tenant is moved"

// tenantMove is a call of fanfare tenant move.
type tenantMove struct {
	to      string // the name of a cell
	options tenantmove.Options
	abort   bool
	asJSON  bool
}

func newTenantMoveCommand(p process) *cobra.Command {
	m := &tenantMove{options: tenantmove.Options{By: activity.System}}
	command := &cobra.Command{
		Use:   "move --tenant ID",
		Short: "Move a tenant to another database",
		Long: `Move a tenant to another database: its activities, inboxes, subscriptions, preferences, service tokens
and its part of the directory, unless the directory is views. The tenant moves from the cell that it
belongs to to the cell --to, or from the database of --database-url to that of --to-database-url. Both
databases stay in use, have the same migrations and the same taxonomy, and are served by the same
Centrifugo. The destination must have no row of the tenant.

Most of the copying happens while the tenant is in use. Then the tenant is frozen for a few seconds:
recording and every other change is refused with the SQLSTATE FF005, and the API answers 503. When the
command opens the destination, requests must go there; with --cells, servers notice it by themselves.
Nothing is lost or delivered twice.

If the command is interrupted, repeat it: it continues from where it was. Until the destination is
open, --abort returns both databases to what they were. Afterwards the source refuses the tenant's
changes for good, and its copy is removed, unless --keep-source is given.

The command requires the rights of the owner of the schema in both databases, and connections that
do not go through a pooler in transaction mode.`,
		Example: `  fanfare tenant move --cells cells.yaml --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --to eu-2

  export FANFARE_DATABASE_URL=postgres://fanfare@one/app
  export FANFARE_TO_DATABASE_URL=postgres://fanfare@two/app
  fanfare tenant move --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --keep-source
  fanfare tenant move --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --abort`,
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&uuidValue{&m.options.Tenant}, "tenant", "id of the tenant")
	flags.StringVar(&m.to, "to", "", toCellUsage)
	flags.BoolVar(&m.abort, "abort", false, "abort the move, which must not have opened the destination")
	flags.BoolVar(&m.options.KeepSource, "keep-source", false, "leave the source's copy, instead of removing it")
	flags.DurationVar(&m.options.ClearDelay, "clear-delay", 10*time.Second,
		"time from the switch to the removal of the source's copy, which servers may still read")
	flags.DurationVar(&m.options.DrainTimeout, "drain-timeout", 10*time.Second,
		"time for which the source's worker may deliver pending activities after the freeze; the others move")
	flags.DurationVar(&m.options.FreezeTimeout, "freeze-timeout", time.Minute,
		"time for which the freeze waits for open transactions that have written to the tables")
	flags.Var(&uuidValue{&m.options.By}, "by", "principal who moves the tenant; it is recorded")
	flags.BoolVar(&m.asJSON, "json", false, "print JSON")
	command.PreRunE = func(*cobra.Command, []string) error {
		switch {
		case m.options.Tenant == uuid.Nil:
			return requireTenant(m.options.Tenant)
		case m.abort && m.options.KeepSource:
			return &usageError{"--abort and --keep-source cannot be combined"}
		case m.options.DrainTimeout < 0:
			return &usageError{"--drain-timeout must not be negative"}
		case m.options.ClearDelay < 0:
			return &usageError{"--clear-delay must not be negative"}
		case m.options.FreezeTimeout <= 0:
			return &usageError{"--freeze-timeout must be positive"}
		}
		return nil
	}
	return withSettings(p, command, config.TenantMove(), func(ctx context.Context, c *config.Config) error {
		source, destination, err := m.databases(ctx, c)
		if err != nil {
			return err
		}
		m.options.SourceName, m.options.DestinationName = source.name, destination.name
		return database.Explain(m.run(ctx, p, source.url, destination.url))
	})
}

func (m *tenantMove) run(ctx context.Context, p process, source, destination string) error {
	db, closeAll, err := openMove(ctx, source, destination)
	defer closeAll()
	if err != nil {
		return err
	}
	line := newProgressLine(p, true)
	m.options.Progress = showMove(line)
	do := tenantmove.Run
	if m.abort {
		do = tenantmove.Abort
	}
	r, err := do(ctx, db, m.options)
	line.end()
	if err != nil {
		return fmt.Errorf("%w%s", err, continuation(err, m.abort))
	}
	if m.asJSON {
		return writeJSON(p.stdout, r)
	}
	return m.write(p, r)
}

// continuation describes what an operator may do after an error.
func continuation(err error, aborting bool) string {
	switch {
	case errors.Is(err, tenantmove.ErrOpened), errors.Is(err, tenantmove.ErrNoMove):
		return ""
	case aborting:
		return "\nRepeat the command to continue the abortion."
	}
	return "\nRepeat the command to continue the move, or abort it with --abort; " +
		"fanfare tenant status shows where it is."
}

// showMove returns a function that shows the progress of a move. What it waits for, and each step,
// is always shown.
func showMove(line *progressLine) func(tenantmove.Progress) {
	var step tenantmove.Step
	return func(p tenantmove.Progress) {
		text := string(p.Step)
		switch {
		case p.Message != "":
			text += ": " + p.Message
		case p.Table != "":
			text += fmt.Sprintf(": %s, %s rows, %s/s", p.Table, grouped(p.Rows), grouped(int64(p.Rate)))
		}
		line.show(text, p.Step != step)
		step = p.Step
	}
}

func (m *tenantMove) write(p process, r *tenantmove.Result) error {
	if m.abort {
		_, err := fmt.Fprintf(p.stdout, "The move is aborted. The tenant is in %s.\n", r.Source)
		return err
	}
	rows := [][]string{{"TABLE", "MOVED", "REMOVED"}}
	names := slices.Sorted(maps.Keys(r.Rows))
	for _, name := range names {
		title := name
		if name == "tenant_move_rows" {
			title = "pending and dead letters"
		}
		rows = append(rows, []string{
			title, strconv.FormatInt(r.Rows[name], 10), strconv.FormatInt(r.Removed[name], 10),
		})
	}
	if err := writeTable(p.stdout, rows); err != nil {
		return err
	}
	for _, v := range r.Views {
		fmt.Fprintf(p.stdout, "fanfare.%s is a view in one of the databases and was not copied.\n", v)
	}
	_, err := fmt.Fprintf(p.stdout, "\nThe tenant is in %s. It was frozen for %.1f s.\n",
		r.Destination, r.FrozenSeconds)
	return err
}
