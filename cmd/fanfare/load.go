package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// source says where a setting's value came from.
type source string

// The sources, the strongest first.
const (
	fromFlag        source = "flag"
	fromEnvironment source = "environment"
	fromDefault     source = "default"
)

// loaded is a configuration as it was read, and what there is to say of each of its settings.
type loaded struct {
	Config
	settings []setting
	sources  map[string]source // by the setting's name
	unread   map[string]Problem
}

// load reads the settings: from the flag, else from the environment (where an empty variable counts
// as none), else the default.
func load(settings []setting, flags *pflag.FlagSet, getenv func(string) string) *loaded {
	l := &loaded{settings: settings, sources: map[string]source{}, unread: map[string]Problem{}}
	for _, s := range settings {
		text, from := s.initial, fromDefault
		if flag := flags.Lookup(s.name); flag != nil && flag.Changed {
			text, from = flag.Value.String(), fromFlag
		} else if value := getenv(s.variable()); value != "" {
			text, from = value, fromEnvironment
		}
		l.sources[s.name] = from
		if rule := s.field.parse(&l.Config, text); rule != "" {
			l.unread[s.name] = l.problem(s, text, rule)
		}
	}
	return l
}

// Validate tells of every setting that breaks its rule, all at once, by a *ConfigError.
func (l *loaded) Validate() error {
	var problems []Problem
	for _, s := range l.settings {
		if p, ok := l.unread[s.name]; ok {
			problems = append(problems, p)
		} else if rule := s.field.check(&l.Config); rule != "" {
			problems = append(problems, l.problem(s, s.field.show(&l.Config), rule))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &ConfigError{Problems: problems}
}

func (l *loaded) problem(s setting, value, rule string) Problem {
	p := Problem{Variable: s.variable(), Value: value, Source: l.sources[s.name], Rule: rule}
	if !s.field.noFlag {
		p.Name = s.name
	}
	return p
}

// Problem is a setting that breaks a rule.
type Problem struct {
	Name     string // of the flag, without the dashes; "" when there is none
	Variable string
	Value    string // fit to be shown; "" when there is none
	Source   source
	Rule     string
}

func (p Problem) String() string {
	value := "is not set"
	if p.Value != "" {
		value = fmt.Sprintf("is %q (%s)", p.Value, p.Source)
	}
	names := p.Variable
	if p.Name != "" {
		names = "--" + p.Name + ", " + names
	}
	return fmt.Sprintf("%s: %s: %s", names, value, p.Rule)
}

// ConfigError tells of every setting that is wrong.
type ConfigError struct{ Problems []Problem }

func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString("a setting is wrong:")
	if len(e.Problems) > 1 {
		b.Reset()
		fmt.Fprintf(&b, "%d settings are wrong:", len(e.Problems))
	}
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// addFlags makes a flag of each setting. What a flag is given is kept as text until load reads it,
// so that all that is wrong can be told at once.
func addFlags(flags *pflag.FlagSet, settings []setting) {
	flags.SortFlags = false
	for _, s := range settings {
		if s.field.noFlag {
			continue
		}
		flag := flags.VarPF(
			&textValue{s.initial, s.field.kind},
			s.name,
			"",
			fmt.Sprintf("%s [%s]", s.usage, s.variable()),
		)
		if s.field.kind == kindBoolean {
			flag.NoOptDefVal = "true"
		}
	}
}

// textValue is a flag's value, not looked at.
type textValue struct{ text, kind string }

func (v *textValue) String() string        { return v.text }
func (v *textValue) Set(text string) error { v.text = text; return nil }
func (v *textValue) Type() string          { return v.kind }
