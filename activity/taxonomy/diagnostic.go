package taxonomy

import (
	"fmt"
	"strings"
)

// maxDiagnostics is the maximum number of diagnostics of one file.
const maxDiagnostics = 100

// Diagnostic is an error in a taxonomy.
type Diagnostic struct {
	Line   int    `json:"line,omitzero"`   // of the file, from 1; 0 without a file
	Action string `json:"action,omitzero"` // empty if the error concerns no single action
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

// InvalidError describes an invalid taxonomy. Its diagnostics are in the order of the file.
type InvalidError struct {
	Diagnostics []Diagnostic // at least one
	More        int          // the number of further diagnostics
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	b.WriteString("the taxonomy is invalid:")
	for _, m := range e.Diagnostics {
		b.WriteString("\n  " + m.Error())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n  and %d more", e.More)
	}
	return b.String()
}

// shortened returns a text of the file as valid UTF-8 of at most 100 characters.
func shortened(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if cut := []rune(text); len(cut) > 100 {
		return string(cut[:99]) + "…"
	}
	return text
}
