package config

import (
	"cmp"
	"slices"
	"strings"
)

// Setting describes one setting.
type Setting struct {
	Name    string // the name of its flag, without dashes
	Default string // as text; "" means none
	Usage   string // its help, a phrase
	field   field
}

// Variable returns the name of the environment variable.
func (s Setting) Variable() string {
	return "FANFARE_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Flag returns the flag with its dashes, or "" if only the environment can set the setting.
func (s Setting) Flag() string {
	if s.field.noFlag {
		return ""
	}
	return "--" + s.Name
}

// Kind returns the kind of value, such as "duration".
func (s Setting) Kind() string { return s.field.kind }

// withRule returns the setting with an additional rule.
func (s Setting) withRule(rule func(c *Config) string) Setting {
	check := s.field.check
	s.field.check = func(c *Config) string { return cmp.Or(check(c), rule(c)) }
	return s
}

// All returns every setting, in the order of the documentation.
func All() []Setting {
	return slices.Concat(
		Database(), standbys(), centrifugoAPI(), centrifugoClients(), channels(), delivery(), retention(), api(),
		console(), credentials(), process())
}

// Worker returns the settings of fanfare worker.
func Worker() []Setting {
	return slices.Concat(Database(), centrifugoAPI(), channels(), delivery(), retention(), process())
}

// Serve returns the settings of fanfare serve.
func Serve() []Setting {
	return withServeRules(slices.Concat(
		Database(), standbys(), centrifugoAPI(), centrifugoClients(), channels(), []Setting{mutations()}, api(),
		console(), credentials(), process()))
}

// Run returns the settings of fanfare run.
func Run() []Setting { return withServeRules(All()) }

// Doctor returns the settings of fanfare doctor.
func Doctor() []Setting {
	return slices.Concat(Database(), standbys(), centrifugoAPI(), centrifugoClients(), channels(), delivery())
}

// Installation returns the settings of commands that change the whole installation and record that
// in the log of the system tenant.
func Installation() []Setting {
	tenant := systemTenant()
	tenant.Usage = "tenant whose log records changes of the installation; empty disables recording"
	return append(Database(), tenant)
}
