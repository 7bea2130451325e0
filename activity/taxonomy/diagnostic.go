package taxonomy

import (
	"fmt"
	"strings"
)

// maxDiagnostics is how many diagnostics are told of one file.
const maxDiagnostics = 100

// Diagnostic is one thing that is wrong in a taxonomy.
type Diagnostic struct {
	Line   int    `json:"line,omitzero"`   // in the file, from 1; 0 where there is no file
	Action string `json:"action,omitzero"` // empty for what concerns no single action
	Field  string `json:"field,omitzero"`  // "severity", "payload.properties.score.type"
	Value  string `json:"value,omitzero"`  // shortened
	Rule   string `json:"rule"`            // "must be …", "is required"
}

func (m Diagnostic) Error() string {
	var b strings.Builder
	if m.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", m.Line)
	}
	if m.Action != "" {
		b.WriteString(m.Action + ": ")
	}
	if m.Field != "" {
		b.WriteString(m.Field + " ")
	}
	if m.Value != "" {
		fmt.Fprintf(&b, "%q ", m.Value)
	}
	b.WriteString(m.Rule)
	return b.String()
}

// InvalidError says everything that is wrong with a taxonomy, in the order of the file.
type InvalidError struct {
	Diagnostics []Diagnostic // at least one
	More        int          // how many others there are
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	b.WriteString("the taxonomy is not sound:")
	for _, m := range e.Diagnostics {
		b.WriteString("\n  " + m.Error())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n  and %d more", e.More)
	}
	return b.String()
}

// shortened makes a value of the file fit to be repeated.
func shortened(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if cut := []rune(text); len(cut) > 100 {
		return string(cut[:99]) + "…"
	}
	return text
}
