package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Description describes the values of settings, without secrets.
type Description struct {
	Settings []Value  `json:"settings"`
	Unknown  []string `json:"unknown_variables"` // variables with the prefix FANFARE_ that are no settings
}

// Value describes the value of one setting.
type Value struct {
	Name     string `json:"name"`
	Flag     string `json:"flag,omitempty"` // "" if only the environment can set it
	Variable string `json:"variable"`
	Value    string `json:"value"`
	Source   Source `json:"source"`
}

// Describe describes the loaded values. environ is the environment, as "name=value".
func (l *Loaded) Describe(environ []string) Description {
	known := map[string]bool{}
	d := Description{Unknown: []string{}}
	for _, s := range l.settings {
		known[s.Variable()] = true
		value := s.field.show(&l.Config)
		if v, ok := l.unparsed[s.Name]; ok {
			value = v.Value
		}
		d.Settings = append(d.Settings, Value{s.Name, s.Flag(), s.Variable(), value, l.sources[s.Name]})
	}
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "FANFARE_") && !known[name] && !slices.Contains(d.Unknown, name) {
			d.Unknown = append(d.Unknown, name)
		}
	}
	slices.Sort(d.Unknown)
	return d
}

// WriteReference writes a Markdown table of settings: flag, variable, default and description.
func WriteReference(w io.Writer, settings []Setting) error {
	var b strings.Builder
	b.WriteString("| flag | environment variable | default | description |\n|---|---|---|---|\n")
	for _, s := range settings {
		var flag, initial string
		if s.Flag() != "" {
			flag = "`" + s.Flag() + "` " + s.Kind()
		}
		if s.Default != "" {
			initial = "`" + s.Default + "`"
		}
		usage := strings.ReplaceAll(s.Usage, "|", `\|`)
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", flag, s.Variable(), initial, usage)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
