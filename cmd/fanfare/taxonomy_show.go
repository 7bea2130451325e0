package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
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
		Long: `Lists the actions that are applied in the database, or those that a file would apply, and the secret keys: names of
payload keys whose values are not kept, beside those that never are. In the column OWN stands which actions Fanfare itself records;
they are registered with every taxonomy.`,
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
	command.Flags().
		StringVar(&file, "file", "", "the actions that this file would apply; without it those in the database")
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
		return showTaxonomy(p, parsed.WithBuiltins(), action, asJSON)
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
			return writeJSON(p.stdout, shownAction{found, found.Builtin()})
		}
		return writeTable(p.stdout, actionRows(found))
	}
	shown := shownTaxonomy{append([]string{}, t.SecretKeys()...), []shownAction{}}
	for _, a := range t.Actions() {
		shown.Actions = append(shown.Actions, shownAction{a, a.Builtin()})
	}
	if asJSON {
		return writeJSON(p.stdout, shown)
	}
	if len(shown.SecretKeys) > 0 {
		fmt.Fprintf(p.stdout, "Secret keys: %s\n\n", strings.Join(shown.SecretKeys, ", "))
	}
	if len(shown.Actions) == 0 {
		_, err := fmt.Fprintln(p.stdout, "No action is registered.")
		return err
	}
	rows := [][]string{{"ACTION", "OWN", "CATEGORY", "SEVERITY", "VISIBILITY", "REQUIRED", "DESCRIPTION"}}
	for _, a := range shown.Actions {
		rows = append(
			rows,
			[]string{
				a.Name,
				a.owner(),
				a.Category,
				string(a.Severity),
				string(a.Visibility),
				strings.Join(a.Required, ","),
				a.Description,
			},
		)
	}
	return writeTable(p.stdout, rows)
}

// shownTaxonomy is what show says as JSON.
type shownTaxonomy struct {
	SecretKeys []string      `json:"secret_keys"`
	Actions    []shownAction `json:"actions"`
}

type shownAction struct {
	taxonomy.Action
	Own bool `json:"own"` // Fanfare itself records it
}

func (a shownAction) owner() string {
	if a.Own {
		return "Fanfare's"
	}
	return ""
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
		{"own", shownAction{a, a.Builtin()}.owner()},
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
that it would remove, ~ one that it would change, and so for the secret keys. Fanfare's own actions are registered with
every taxonomy, so that they come with the first, and may change when Fanfare is a newer one.

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
		changes := taxonomy.Diff(applied, parsed.WithBuiltins())
		if asJSON {
			err = writeJSON(p.stdout, changes)
		} else {
			_, err = fmt.Fprint(p.stdout, changes)
		}
		if err == nil && changes.Len() > 0 {
			err = fmt.Errorf("the database differs from %s in %s", file, counted(changes.Len(), "place"))
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
log is looked through for as long as --patience, its newest month first.

Fanfare's own actions are registered in any case. With --system-tenant, what was applied is recorded in that tenant's
log, in the same transaction (taxonomy.applied).`,
		PreRunE: func(*cobra.Command, []string) error {
			if options.SearchTimeout <= 0 {
				return &usageError{"--patience must be positive"}
			}
			return nil
		},
	}
	fileArgument(command, &file)
	command.Flags().BoolVar(&options.DryRun, "dry-run", false, "only say what would be done")
	command.Flags().
		BoolVar(&options.Force, "force", false, "remove actions without looking whether activities have them")
	command.Flags().
		DurationVar(&options.SearchTimeout, "patience", taxonomy.DefaultSearchTimeout, "how long to look for activities of removed actions")
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return withSystemTenant(p, command, func(ctx context.Context, pool *pgxpool.Pool, system uuid.UUID) error {
		parsed, err := readTaxonomy(p, file)
		if err != nil {
			return err
		}
		if !asJSON {
			options.Show = func(changes taxonomy.Changes) { fmt.Fprint(p.stdout, changes) }
		}
		changes, err := applyRecorded(ctx, pool, system, parsed, options)
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
	if c.SecretKeys != nil {
		counts += ", and other secret keys"
	}
	if dryRun {
		return "Nothing was done. To be done: " + counts
	}
	return "Done: " + counts
}
