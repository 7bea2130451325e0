package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/config"
)

func newConfigCommand(p process) *cobra.Command {
	settings := config.All()
	asJSON, asMarkdown := false, false
	command := &cobra.Command{
		Use:   "config",
		Short: "Show the settings in effect and their sources",
		Long: `Show the value of every setting that fanfare run, worker and serve would use with the same flags
and environment, and whether it comes from a flag, the environment or the default. Secrets are
redacted.

The exit code is 2 if a setting is invalid. Settings that only fanfare run and fanfare serve
require are not checked.`,
		Example: `  fanfare config
  fanfare config --workers 8 --json
  fanfare config --markdown > settings.md`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if asJSON && asMarkdown {
				return &usageError{"--json and --markdown cannot be combined"}
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error {
			if asMarkdown {
				return config.WriteReference(p.stdout, settings)
			}
			loaded := config.Load(settings, command.Flags(), p.getenv)
			description := loaded.Describe(p.environ)
			write := writeDescription
			if asJSON {
				write = func(w io.Writer, d config.Description) error { return writeJSON(w, d) }
			}
			if err := write(p.stdout, description); err != nil {
				return err
			}
			return loaded.Validate()
		},
	}
	addSettings(command, settings)
	completeCells(p, command)
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.Flags().BoolVar(&asMarkdown, "markdown", false, "print the reference of all settings as Markdown")
	return command
}

func writeDescription(w io.Writer, d config.Description) error {
	rows := [][]string{{"SETTING", "VARIABLE", "SOURCE", "VALUE"}}
	for _, s := range d.Settings {
		rows = append(rows, []string{cmp.Or(s.Flag, "-"), s.Variable, string(s.Source), s.Value})
	}
	if err := writeTable(w, rows); err != nil || len(d.Unknown) == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "\nUnknown variables: %s\n", strings.Join(d.Unknown, ", "))
	return err
}
