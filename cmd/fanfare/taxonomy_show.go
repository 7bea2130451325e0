package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

func newTaxonomyShowCommand(p process) *cobra.Command {
	var (
		action, file string
		asJSON       bool
	)
	command := &cobra.Command{
		Use:   "show [action]",
		Short: "List the actions that are applied, or those of a file",
		Args: func(_ *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
			case 1:
				action = args[0]
			default:
				return &usageError{"name one action, or none for all"}
			}
			return nil
		},
	}
	command.Flags().StringVar(&file, "file", "", "the actions of this file; without it those in the database")
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		applied, err := taxonomy.Load(ctx, pool)
		if err != nil {
			return err
		}
		return showTaxonomy(p, applied, action, asJSON)
	})
	fromDatabase := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		if file == "" {
			return fromDatabase(command, args)
		}
		parsed, err := readTaxonomy(p, file)
		if err != nil {
			return err
		}
		return showTaxonomy(p, parsed, action, asJSON)
	}
	return command
}

func showTaxonomy(p process, t *taxonomy.Taxonomy, action string, asJSON bool) error {
	if action != "" {
		found, ok := t.Action(action)
		switch {
		case !ok:
			return fmt.Errorf("action %q is not registered", action)
		case asJSON:
			return writeJSON(p.stdout, found)
		}
		return writeTable(p.stdout, actionRows(found))
	}
	actions := t.Actions()
	if asJSON {
		return writeJSON(p.stdout, actions)
	}
	if len(actions) == 0 {
		_, err := fmt.Fprintln(p.stdout, "No action is registered.")
		return err
	}
	rows := [][]string{{"ACTION", "CATEGORY", "SEVERITY", "VISIBILITY", "REQUIRED", "DESCRIPTION"}}
	for _, a := range actions {
		rows = append(rows, []string{a.Name, a.Category, string(a.Severity), string(a.Visibility), strings.Join(a.Required, ","), a.Description})
	}
	return writeTable(p.stdout, rows)
}

// actionRows leaves out what the action leaves open.
func actionRows(a taxonomy.Action) [][]string {
	keep := "all keys"
	switch {
	case a.Keep != nil && len(a.Keep) == 0:
		keep = "no keys"
	case a.Keep != nil:
		keep = strings.Join(a.Keep, ", ")
	}
	rows := [][]string{
		{"action", a.Name},
		{"description", a.Description},
		{"category", a.Category},
		{"severity", string(a.Severity)},
		{"visibility", string(a.Visibility)},
		{"title", a.Title},
		{"summary", a.Summary},
		{"icon", a.Icon},
		{"keep", keep},
		{"required", strings.Join(a.Required, ", ")},
	}
	if a.MaxPayloadBytes > 0 {
		rows = append(rows, []string{"max_payload_bytes", strconv.Itoa(a.MaxPayloadBytes)})
	}
	rows = append(rows, []string{"payload", string(a.Schema)})
	shown := rows[:0]
	for _, row := range rows {
		if row[1] != "" {
			shown = append(shown, row)
		}
	}
	return shown
}

func newTaxonomyDiffCommand(p process) *cobra.Command {
	var (
		file   string
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "diff <file>",
		Short: "Say what applying a file would change",
		Long: `Compares a taxonomy's file with what is applied in the database: + is an action that applying would add, - one
that it would remove, ~ one that it would change.

The exit code is 0 when they are the same, and 1 when they differ.`,
	}
	fileArgument(command, &file)
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		parsed, err := readTaxonomy(p, file)
		if err != nil {
			return err
		}
		applied, err := taxonomy.Load(ctx, pool)
		if err != nil {
			return err
		}
		changes := taxonomy.Diff(applied, parsed)
		if asJSON {
			err = writeJSON(p.stdout, changes)
		} else {
			_, err = fmt.Fprint(p.stdout, changes)
		}
		if err == nil && changes.Len() > 0 {
			err = fmt.Errorf("the database differs from %s in %s", file, countOf(changes.Len(), "action"))
		}
		return err
	})
}

func newTaxonomyApplyCommand(p process) *cobra.Command {
	var (
		file    string
		options taxonomy.ApplyOptions
		asJSON  bool
	)
	command := &cobra.Command{
		Use:   "apply <file>",
		Short: "Make the database's taxonomy that of a file",
		Long: `Shows what differs and then makes the database's taxonomy that of the file, all of it or nothing. Recording
goes on meanwhile, and applying the same file again changes nothing.

An action that recorded activities have is not removed, unless --force says so: they stay as they are, but can no
longer be recorded where the taxonomy is enforced strictly. No index leads from an action to its activities; the
log is looked through for as long as --patience, its newest month first.`,
		PreRunE: func(*cobra.Command, []string) error {
			if options.Patience <= 0 {
				return &usageError{"--patience must be positive"}
			}
			return nil
		},
	}
	fileArgument(command, &file)
	command.Flags().BoolVar(&options.DryRun, "dry-run", false, "only say what would be done")
	command.Flags().BoolVar(&options.Force, "force", false, "remove actions without looking whether activities have them")
	command.Flags().DurationVar(&options.Patience, "patience", taxonomy.DefaultPatience, "how long to look for activities of removed actions")
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		parsed, err := readTaxonomy(p, file)
		if err != nil {
			return err
		}
		if !asJSON {
			options.Show = func(changes taxonomy.Changes) { fmt.Fprint(p.stdout, changes) }
		}
		changes, err := taxonomy.Apply(ctx, pool, parsed, options)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, struct {
				Applied bool `json:"applied"`
				taxonomy.Changes
			}{!options.DryRun, changes})
		}
		_, err = fmt.Fprintln(p.stdout, appliedLine(changes, options.DryRun))
		return err
	})
}

func appliedLine(c taxonomy.Changes, dryRun bool) string {
	if c.Len() == 0 {
		return "The database has this taxonomy already."
	}
	counts := fmt.Sprintf("%d added, %d removed, %d changed", len(c.Added), len(c.Removed), len(c.Changed))
	if dryRun {
		return "Nothing was done. To be done: " + counts
	}
	return "Done: " + counts
}
