package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newConfigCommand(p process) *cobra.Command {
	settings := everySetting()
	asJSON, asMarkdown := false, false
	command := &cobra.Command{
		Use:   "config",
		Short: "Show the settings in effect and where each comes from",
		Long: `Shows what fanfare run, worker and serve would run on, with the same flags and environment, and where each setting
comes from; secrets are not shown. Exits with 2, and says why, if a setting is wrong. What serve and run need besides,
such as the secret of Centrifugo's tokens, they say themselves.`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if asJSON && asMarkdown {
				return &usageError{"say --json or --markdown, not both"}
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error {
			if asMarkdown {
				return writeReference(p.stdout, settings)
			}
			config := load(settings, command.Flags(), p.getenv)
			shown := config.shown(p.environ)
			write := shown.writeTable
			if asJSON {
				write = func(w io.Writer) error { return writeJSON(w, shown) }
			}
			if err := write(p.stdout); err != nil {
				return err
			}
			return config.Validate()
		},
	}
	addFlags(command.Flags(), settings)
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	command.Flags().BoolVar(&asMarkdown, "markdown", false, "the reference of all settings instead, as Markdown")
	return command
}

// shownConfig is a configuration as it may be shown.
type shownConfig struct {
	Settings []shownSetting `json:"settings"`
	Unknown  []string       `json:"unknown_variables"` // variables that look like settings and are none
}

type shownSetting struct {
	Name     string `json:"name"`
	Flag     string `json:"flag,omitempty"` // none for what is too secret for one
	Variable string `json:"variable"`
	Value    string `json:"value"`
	Source   source `json:"source"`
}

func (l *loaded) shown(environ []string) shownConfig {
	known := map[string]bool{}
	shown := shownConfig{Unknown: []string{}}
	for _, s := range l.settings {
		known[s.variable()] = true
		value := s.field.show(&l.Config)
		if p, ok := l.unread[s.name]; ok {
			value = p.Value
		}
		shown.Settings = append(shown.Settings, shownSetting{s.name, s.flag(), s.variable(), value, l.sources[s.name]})
	}
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "FANFARE_") && !known[name] && !slices.Contains(shown.Unknown, name) {
			shown.Unknown = append(shown.Unknown, name)
		}
	}
	slices.Sort(shown.Unknown)
	return shown
}

func (c shownConfig) writeTable(w io.Writer) error {
	rows := [][]string{{"SETTING", "VARIABLE", "FROM", "VALUE"}}
	for _, s := range c.Settings {
		rows = append(rows, []string{cmp.Or(s.Flag, "-"), s.Variable, string(s.Source), s.Value})
	}
	if err := writeTable(w, rows); err != nil || len(c.Unknown) == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "\nNot settings, though named like them: %s\n", strings.Join(c.Unknown, ", "))
	return err
}

// writeReference documents the settings.
func writeReference(w io.Writer, settings []setting) error {
	var b strings.Builder
	b.WriteString("| flag | environment | default | what it is |\n|---|---|---|---|\n")
	for _, s := range settings {
		initial := ""
		if s.initial != "" {
			initial = "`" + s.initial + "`"
		}
		flag := ""
		if s.flag() != "" {
			flag = "`" + s.flag() + "` " + s.field.kind
		}
		fmt.Fprintf(
			&b,
			"| %s | `%s` | %s | %s |\n",
			flag,
			s.variable(),
			initial,
			strings.ReplaceAll(s.usage, "|", `\|`),
		)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
