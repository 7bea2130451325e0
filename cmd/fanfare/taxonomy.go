package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

func newTaxonomyCommand(p process) *cobra.Command {
	group := newGroup("taxonomy", "Say which actions there are, and hold writers to it",
		`A taxonomy is a YAML file that an application keeps beside its code: which actions it records, what each means,
what its payload must hold and how it reads. Applied to the database, it holds for every writer in every
language, as strictly as is enforced. docs/taxonomy.md describes the file.

Where a file is named, - is standard input.`)
	group.AddCommand(
		newTaxonomyCheckCommand(p),
		newTaxonomyShowCommand(p),
		newTaxonomyDiffCommand(p),
		newTaxonomyApplyCommand(p),
		newTaxonomyEnforceCommand(p),
		newTaxonomyGenerateCommand(p),
		newTaxonomyDefaultCommand(p),
		newTaxonomyExampleCommand(p),
	)
	return group
}

// fileArgument makes a command take the name of a taxonomy's file, alone.
func fileArgument(command *cobra.Command, name *string) {
	command.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return &usageError{"name one file; - is standard input"}
		}
		*name = args[0]
		return nil
	}
}

// readTaxonomy reads a file.
func readTaxonomy(p process, name string) (*taxonomy.Taxonomy, error) {
	var file io.Reader = p.stdin
	if name != "-" {
		opened, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = opened.Close() }()
		file = opened
	} else if file == nil {
		return nil, errors.New("there is no standard input")
	}
	parsed, err := taxonomy.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return parsed, nil
}

func newTaxonomyCheckCommand(p process) *cobra.Command {
	var (
		name   string
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "check <file>",
		Short: "Find every mistake in a taxonomy's file",
		Long: `Reads a taxonomy's file and names every mistake in it by its line, action, field, value and rule. It needs no
database. The exit code is 1 when there is a mistake.

Fanfare's own actions are registered with every taxonomy. A file may have them to give them other words; their
payloads, visibility and what is kept of them stay as Fanfare records them, whatever the file says.`,
		RunE: func(*cobra.Command, []string) error {
			parsed, err := readTaxonomy(p, name)
			if asJSON {
				return errors.Join(writeChecked(p.stdout, parsed, err), err)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(
				p.stdout,
				"%s: %s, no mistakes\n%s",
				name,
				counted(len(parsed.Actions()), "action"),
				ownLine(parsed),
			)
			return err
		},
	}
	fileArgument(command, &name)
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return command
}

// ownLine says what becomes of Fanfare's own actions.
func ownLine(parsed *taxonomy.Taxonomy) string {
	has := 0
	for _, a := range parsed.Actions() {
		if a.Builtin() {
			has++
		}
	}
	var line string
	if missing := len(parsed.WithBuiltins().Actions()) - len(parsed.Actions()); missing > 0 {
		line = counted(missing, "action") + " of Fanfare's own will be registered beside them\n"
	}
	if has > 0 {
		line += counted(
			has,
			"action",
		) + " among them Fanfare's own: of those, payload, keep, max_payload_bytes and visibility stay Fanfare's\n"
	}
	return line
}

// writeChecked writes what a file holds, or what is wrong with it.
func writeChecked(w io.Writer, parsed *taxonomy.Taxonomy, err error) error {
	checked := struct {
		Actions  int                `json:"actions"`
		Own      int                `json:"own_actions_added"` // Fanfare's, that the file does not have
		Mistakes []taxonomy.Diagnostic `json:"mistakes"`
	}{Mistakes: []taxonomy.Diagnostic{}}
	var invalidErr *taxonomy.InvalidError
	switch {
	case errors.As(err, &invalidErr):
		checked.Mistakes = invalidErr.Diagnostics
	case err != nil:
		return nil // it is told as it is
	default:
		checked.Actions = len(parsed.Actions())
		checked.Own = len(parsed.WithBuiltins().Actions()) - checked.Actions
	}
	return writeJSON(w, checked)
}
