package cells

import (
	"fmt"
	"slices"
	"strings"
)

// maxViolations is the maximum number of violations that an error names.
const maxViolations = 100

// Violation is a part of a file that violates a rule.
type Violation struct {
	Line  int    // from 1; 0 if it concerns the whole file
	Cell  string // the name; "" if it concerns no single cell
	Field string // the key; "" if it concerns no single key
	Value string // shortened, without passwords; "" if it is not shown
	Rule  string // "must be …", "is required"
}

func (v Violation) String() string {
	var b strings.Builder
	if v.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", v.Line)
	}
	if v.Cell != "" {
		fmt.Fprintf(&b, "cell %s: ", v.Cell)
	}
	if v.Field != "" {
		b.WriteString(v.Field + " ")
	}
	if v.Value != "" {
		fmt.Fprintf(&b, "%q ", v.Value)
	}
	b.WriteString(v.Rule)
	return b.String()
}

// InvalidError describes an invalid file. Its violations are in the order of the file.
type InvalidError struct {
	Violations []Violation // at least one
	More       int         // the number of further violations
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	b.WriteString("the cells are invalid:")
	for _, v := range e.Violations {
		b.WriteString("\n    " + v.String())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n    and %d more", e.More)
	}
	return b.String()
}

// violations collects the violations of a file.
type violations []Violation

// err returns an *InvalidError, or nil if there are none.
func (vs violations) err() error {
	if len(vs) == 0 {
		return nil
	}
	slices.SortStableFunc(vs, func(a, b Violation) int { return a.Line - b.Line })
	shown := vs[:min(len(vs), maxViolations)]
	return &InvalidError{Violations: shown, More: len(vs) - len(shown)}
}

// shortened returns a text of the file as valid UTF-8 of at most 100 characters.
func shortened(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if cut := []rune(text); len(cut) > 100 {
		return string(cut[:99]) + "…"
	}
	return text
}
