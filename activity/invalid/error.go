// Package invalid holds the error that refuses invalid input. It names every field that violates a
// rule, with the rule and the value, so that a caller can correct all of them at once.
package invalid

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of an error's text, in bytes.
const (
	maxTextBytes  = 900 // beyond it, further fields are only counted
	maxValueBytes = 600 // of a quoted value
)

// Error reports that input violates rules. Nothing was changed or written.
type Error struct {
	Subject string  // what is refused: "filter", "preferences"; empty means "envelope"
	Fields  []Field // the violations; at least one
}

// Error returns the violations in their order, as many as fit a log line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(cmp.Or(e.Subject, "envelope") + " refused: ")
	for i, f := range e.Fields {
		text := f.Error()
		if i > 0 && b.Len()+len(text) > maxTextBytes {
			fmt.Fprintf(&b, "; and %d more", len(e.Fields)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(text)
	}
	return b.String()
}

// At returns a copy of the error in which every field's name begins with prefix. It serves input
// that is part of something larger: "envelopes[3].".
func (e *Error) At(prefix string) *Error {
	at := &Error{Subject: e.Subject, Fields: slices.Clone(e.Fields)}
	for i := range at.Fields {
		at.Fields[i].Name = prefix + at.Fields[i].Name
	}
	return at
}

// Field is the violation of one rule by one field.
type Field struct {
	Name  string // as in the JSON form: "tenant_id"
	Value string // shortened; empty when the field is missing or its value must not be repeated
	Rule  string // "must be …", "is required"
}

func (f Field) Error() string {
	if f.Value == "" {
		return f.Name + " " + f.Rule
	}
	if f.isSize() {
		return fmt.Sprintf("%s of %s %s", f.Name, f.Value, f.Rule)
	}
	return fmt.Sprintf("%s %s %s", f.Name, quote(f.Value), f.Rule)
}

// isSize reports whether the value is a size in the unit of the rule, "70011 bytes", and not a text
// that the caller gave.
func (f Field) isSize() bool {
	limit, bounded := strings.CutPrefix(f.Rule, "must be at most ")
	_, unit, _ := strings.Cut(limit, " ")
	number, unitOfValue, _ := strings.Cut(f.Value, " ")
	return bounded && unit != "" && unit == unitOfValue && strings.Trim(number, "0123456789") == ""
}

// quote quotes a value, shortened as long as its escapes make it too long.
func quote(value string) string {
	quoted := strconv.Quote(value)
	for len(quoted) > maxValueBytes {
		value = string([]rune(value)[:utf8.RuneCountInString(value)/2])
		quoted = strconv.Quote(value)
	}
	return quoted
}
