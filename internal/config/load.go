package config

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Source is the origin of a setting's value.
type Source string

// The sources, in order of precedence.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromDefault     Source = "default"
)

// Loaded is a Config and the origin of its values.
type Loaded struct {
	Config
	settings []Setting
	sources  map[string]Source    // by the setting's name
	unparsed map[string]Violation // the settings whose text could not be parsed, by name
}

// Load reads the settings: the flag if it was set, else the environment variable if it is not
// empty, else the default. It does not fail: Validate reports what is invalid.
func Load(settings []Setting, flags *pflag.FlagSet, getenv func(name string) string) *Loaded {
	l := &Loaded{settings: settings, sources: map[string]Source{}, unparsed: map[string]Violation{}}
	for _, s := range settings {
		text, source := s.Default, FromDefault
		if flag := flags.Lookup(s.Name); flag != nil && flag.Changed {
			text, source = flag.Value.String(), FromFlag
		} else if value := getenv(s.Variable()); value != "" {
			text, source = value, FromEnvironment
		}
		l.sources[s.Name] = source
		if rule := s.field.parse(&l.Config, text); rule != "" {
			l.unparsed[s.Name] = l.violation(s, text, rule)
		}
	}
	return l
}

// Validate reports every invalid setting at once, as an *[Error].
func (l *Loaded) Validate() error {
	var violations []Violation
	for _, s := range l.settings {
		if v, ok := l.unparsed[s.Name]; ok {
			violations = append(violations, v)
		} else if rule := s.field.check(&l.Config); rule != "" {
			violations = append(violations, l.violation(s, s.field.show(&l.Config), rule))
		}
	}
	if len(violations) == 0 {
		return nil
	}
	return &Error{Violations: violations}
}

func (l *Loaded) violation(s Setting, value, rule string) Violation {
	return Violation{Flag: s.Flag(), Variable: s.Variable(), Value: value, Source: l.sources[s.Name], Rule: rule}
}

// Violation is a setting whose value violates a rule.
type Violation struct {
	Flag     string // with its dashes; "" if only the environment can set it
	Variable string
	Value    string // without secrets; "" if it is not set
	Source   Source
	Rule     string
}

func (v Violation) String() string {
	name := v.Variable
	if v.Flag != "" {
		name = fmt.Sprintf("%s (%s)", v.Flag, v.Variable)
	}
	if v.Value == "" {
		return fmt.Sprintf("%s: %s", name, v.Rule)
	}
	return fmt.Sprintf("%s: %q from the %s: %s", name, v.Value, v.Source, v.Rule)
}

// Error is the error of settings that violate rules.
type Error struct{ Violations []Violation }

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("invalid setting:")
	if len(e.Violations) > 1 {
		b.Reset()
		fmt.Fprintf(&b, "%d invalid settings:", len(e.Violations))
	}
	for _, v := range e.Violations {
		b.WriteString("\n  " + v.String())
	}
	return b.String()
}

// AddFlags defines a flag for each setting that has one, in their order. A flag keeps its text
// until Load parses it, so that all errors are reported at once.
func AddFlags(flags *pflag.FlagSet, settings []Setting) {
	flags.SortFlags = false
	for _, s := range settings {
		if s.field.noFlag {
			continue
		}
		usage := fmt.Sprintf("%s [%s]", s.Usage, s.Variable())
		value := &textValue{text: s.Default, kind: s.field.kind, repeats: s.field.repeats}
		flag := flags.VarPF(value, s.Name, "", usage)
		if s.field.kind == kindBoolean {
			flag.NoOptDefVal = "true"
		}
	}
}

// VariablesHelp returns the help of the settings that only the environment can set, or "" if there
// are none. Their secrets are too important for a flag.
func VariablesHelp(settings []Setting) string {
	var b strings.Builder
	for _, s := range settings {
		if s.field.noFlag {
			fmt.Fprintf(&b, "\n  %-31s  %s", s.Variable(), s.Usage)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "Environment variables without a flag:" + b.String()
}

// textValue is the value of a flag, not parsed.
type textValue struct {
	text, kind     string
	repeats, isSet bool
}

func (v *textValue) String() string { return v.text }
func (v *textValue) Type() string   { return v.kind }

// Set sets the text. It adds to the list of a flag that may be repeated.
func (v *textValue) Set(text string) error {
	if v.repeats && v.isSet {
		text = v.text + "," + text
	}
	v.text, v.isSet = text, true
	return nil
}
