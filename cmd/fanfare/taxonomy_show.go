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
		Short: "List the registered actions, or show one",
		Long: `List the actions that are registered in the database, or those that a file would register, and the
secret keys: the payload keys whose values are never stored. Built-in actions, which Fanfare itself
records, are marked.`,
		Example: `  fanfare taxonomy show
  fanfare taxonomy show project.created
  fanfare taxonomy show --file taxonomy.yaml --json`,
		Args: func(_ *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
			case 1:
				action = args[0]
			default:
				return &usageError{"at most one argument is accepted: the action"}
			}
			return nil
		},
	}
	command.Flags().StringVar(&file, "file", "", "show the actions of this file instead of the database's")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
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

func showTaxonomy(p process, t *taxonomy.Taxonomy, name string, asJSON bool) error {
	if name != "" {
		found, ok := t.Action(name)
		switch {
		case !ok:
			return fmt.Errorf("action %q is not registered", name)
		case asJSON:
			return writeJSON(p.stdout, shownAction{found, found.Builtin()})
		}
		return writeTable(p.stdout, actionRows(found))
	}
	shown := struct {
		SecretKeys []string      `json:"secret_keys"`
		Actions    []shownAction `json:"actions"`
	}{append([]string{}, t.SecretKeys()...), []shownAction{}}
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
		_, err := fmt.Fprintln(p.stdout, "No actions are registered.")
		return err
	}
	rows := [][]string{{
		"ACTION", "BUILT-IN", "CATEGORY", "SEVERITY", "VISIBILITY", "NOTIFY", "REQUIRED", "DESCRIPTION",
	}}
	for _, a := range shown.Actions {
		rows = append(rows, []string{
			a.Name, a.builtinText(), a.Category, string(a.Severity), string(a.Visibility), string(a.Notify),
			strings.Join(a.Required, ","), a.Description,
		})
	}
	return writeTable(p.stdout, rows)
}

// shownAction is an action as it is shown.
type shownAction struct {
	taxonomy.Action
	Builtin bool `json:"own"` // a built-in action
}

func (a shownAction) builtinText() string {
	if a.Builtin {
		return "yes"
	}
	return ""
}

// actionRows returns the fields of an action that are not empty.
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
		{"built-in", shownAction{a, a.Builtin()}.builtinText()},
		{"description", a.Description},
		{"category", a.Category},
		{"severity", string(a.Severity)},
		{"visibility", string(a.Visibility)},
		{"notify", string(a.Notify)},
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
