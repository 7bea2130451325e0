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
	group := newGroup("taxonomy", "Check, apply and enforce the taxonomy of actions",
		`Check, apply and enforce the taxonomy: a YAML file that lists the actions of an application, with
their meanings, the schemas of their payloads and their texts. docs/taxonomy.md describes the file.

An applied taxonomy is valid for every service in every language, and is enforced in the mode that
'fanfare taxonomy enforce' sets.

The file - is standard input.`)
	group.AddCommand(newTaxonomyCheckCommand(p), newTaxonomyShowCommand(p), acrossCells(p, newTaxonomyDiffCommand),
		acrossCells(p, newTaxonomyApplyCommand), acrossCells(p, newTaxonomyEnforceCommand),
		newTaxonomyGenerateCommand(p), newTaxonomyDefaultCommand(p), newTaxonomyExampleCommand(p))
	return group
}

// fileArgument requires exactly one argument, the taxonomy's file.
func fileArgument(command *cobra.Command, name *string) {
	command.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return &usageError{"exactly one argument is required: the file, or - for standard input"}
		}
		*name = args[0]
		return nil
	}
}

// readTaxonomy reads a file, or standard input if its name is "-".
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
		return nil, errors.New("standard input is not available")
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
		Short: "Check the file of a taxonomy",
		Long: `Check the file of a taxonomy, and report every error with its line, action, field, value and rule. No
database is required. The exit code is 1 if the file has errors.

Fanfare's built-in actions are part of every taxonomy. A file may contain them to change their
texts, category and severity; their payloads and their visibility cannot be changed.`,
		Example: `  fanfare taxonomy check taxonomy.yaml`,
		RunE: func(*cobra.Command, []string) error {
			parsed, err := readTaxonomy(p, name)
			if asJSON {
				return errors.Join(writeDiagnostics(p.stdout, parsed, err), err)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "%s: %s, no errors\n%s",
				name, counted(len(parsed.Actions()), "action"), builtinText(parsed))
			return err
		},
	}
	fileArgument(command, &name)
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// builtinText describes the effect of the built-in actions on a file's taxonomy.
func builtinText(parsed *taxonomy.Taxonomy) string {
	contained := 0
	for _, a := range parsed.Actions() {
		if a.Builtin() {
			contained++
		}
	}
	text := ""
	if added := len(parsed.WithBuiltins().Actions()) - len(parsed.Actions()); added > 0 {
		text = counted(added, "built-in action") + " will be added\n"
	}
	if contained > 0 {
		text += counted(contained, "built-in action") +
			" in the file: payload, keep, max_payload_bytes and visibility are ignored\n"
	}
	return text
}

// writeDiagnostics writes the result of a check as JSON.
func writeDiagnostics(w io.Writer, parsed *taxonomy.Taxonomy, err error) error {
	result := struct {
		Actions     int                   `json:"actions"`
		Added       int                   `json:"builtin_actions_added"` // those that the file does not contain
		Diagnostics []taxonomy.Diagnostic `json:"diagnostics"`
	}{Diagnostics: []taxonomy.Diagnostic{}}
	var invalid *taxonomy.InvalidError
	switch {
	case errors.As(err, &invalid):
		result.Diagnostics = invalid.Diagnostics
	case err != nil:
		return nil // the caller returns it
	default:
		result.Actions = len(parsed.Actions())
		result.Added = len(parsed.WithBuiltins().Actions()) - result.Actions
	}
	return writeJSON(w, result)
}
