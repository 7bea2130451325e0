// Package template renders the texts of a taxonomy: one line with placeholders that the values of
// an activity replace, such as "{actor} created {resource}".
package template

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fanfarehq/fanfare/activity"
)

// MaxRunes is the maximum length of a template and of a rendered line, in characters.
const MaxRunes = 500

const (
	maxPaths = 16 // payload placeholders of a template
	maxKeys  = 8  // keys of a payload placeholder
)

// Template is a parsed text. The zero value renders the empty line. It is safe for concurrent use.
type Template struct {
	text  string
	parts []part
	paths [][]string // the keys of each payload placeholder
}

// part is a literal text or a placeholder.
type part struct {
	kind    partKind
	literal string
	path    int // index into Template.paths
}

type partKind byte

const (
	literalText partKind = iota
	actorName
	resourceName
	resourceType
	actionName
	statusName
	severityName
	payloadValue
)

// placeholder returns the kind of a placeholder other than one of the payload.
func placeholder(name string) (kind partKind, known bool) {
	switch name {
	case "actor":
		return actorName, true
	case "resource":
		return resourceName, true
	case "resource_type":
		return resourceType, true
	case "action":
		return actionName, true
	case "status":
		return statusName, true
	case "severity":
		return severityName, true
	default:
		return literalText, false
	}
}

// SyntaxError describes the first rule that a text violates.
type SyntaxError struct {
	Char int    // position of the offending character, counted from 1; 0 for a rule about the text as one
	Text string // the offending part, shortened; empty if Char is 0
	Rule string // the rule, as in "must be …"
}

// Error implements error.
func (e *SyntaxError) Error() string {
	if e.Char == 0 {
		return "the text " + e.Rule
	}
	return fmt.Sprintf("character %d: %q %s", e.Char, e.Text, e.Rule)
}

// Parse parses a text. A placeholder is {actor}, {resource}, {resource_type}, {action}, {status},
// {severity}, or a value of the payload, as in {payload.score} or {payload.run.id}. The escapes {{
// and }} render one brace each. The error is a *SyntaxError.
func Parse(text string) (Template, error) {
	t := Template{text: text}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, isControl) {
		return Template{}, &SyntaxError{Rule: "must be valid UTF-8 without control characters"}
	}
	if utf8.RuneCountInString(text) > MaxRunes {
		return Template{}, &SyntaxError{Rule: fmt.Sprintf("must be at most %d characters", MaxRunes)}
	}
	var pending strings.Builder
	flush := func() {
		if pending.Len() > 0 {
			t.parts = append(t.parts, part{literal: pending.String()})
			pending.Reset()
		}
	}
	for at := 0; at < len(text); {
		brace := strings.IndexAny(text[at:], "{}")
		if brace < 0 {
			pending.WriteString(text[at:])
			break
		}
		pending.WriteString(text[at : at+brace])
		at += brace
		if rest := text[at:]; strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}") {
			pending.WriteByte(rest[0])
			at += 2
			continue
		}
		end := strings.IndexAny(text[at+1:], "{}")
		if text[at] == '}' || end < 0 || text[at+1+end] == '{' {
			return Template{}, syntaxError(text, at, len(text),
				"must not contain an unpaired brace; write {{ or }} for a literal brace")
		}
		flush()
		if rule := t.addPlaceholder(text[at+1 : at+1+end]); rule != "" {
			return Template{}, syntaxError(text, at, at+end+2, rule)
		}
		at += end + 2
	}
	flush()
	return t, nil
}

func syntaxError(text string, start, end int, rule string) *SyntaxError {
	return &SyntaxError{Char: utf8.RuneCountInString(text[:start]) + 1, Text: shorten(text[start:end]), Rule: rule}
}

// addPlaceholder adds a placeholder, or returns the rule that its name violates.
func (t *Template) addPlaceholder(name string) (rule string) {
	if kind, known := placeholder(name); known {
		t.parts = append(t.parts, part{kind: kind})
		return ""
	}
	keys := strings.Split(name, ".")
	if keys[0] != "payload" {
		return "must be {actor}, {resource}, {resource_type}, {action}, {status}, {severity} or {payload.<key>}"
	}
	keys = keys[1:]
	if len(keys) < 1 || len(keys) > maxKeys {
		return fmt.Sprintf("must name 1 to %d keys: {payload.score}, {payload.run.id}", maxKeys)
	}
	for _, key := range keys {
		if key == "" || strings.ContainsFunc(key, notInKey) {
			return "must name keys of letters, digits, _ and -"
		}
	}
	if len(t.paths) == maxPaths {
		return fmt.Sprintf("must be one of at most %d values of the payload", maxPaths)
	}
	t.parts = append(t.parts, part{kind: payloadValue, path: len(t.paths)})
	t.paths = append(t.paths, keys)
	return ""
}

func notInKey(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' && r != '-'
}

func isControl(r rune) bool { return r < ' ' || 0x7F <= r && r < 0xA0 }

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:39]) + "…"
	}
	return text
}

// String returns the text that Parse parsed.
func (t Template) String() string { return t.text }

// IsZero reports whether the template renders the empty line for every activity.
func (t Template) IsZero() bool { return len(t.parts) == 0 }

// PayloadPaths returns the keys of each payload placeholder, in the order of the text.
func (t Template) PayloadPaths() [][]string { return t.paths }

// Append appends the line that the template renders for an activity whose actor has the given
// display name. The line has at most MaxRunes characters; a longer one is cut and ends in "…".
// Without a display name, {actor} renders "someone"; without a resource name, {resource} renders
// the resource type, as in "the signal". A payload placeholder whose value is missing or is not a
// string, a number or a boolean renders nothing.
func (t Template) Append(b []byte, a *activity.Activity, actor string) []byte {
	var values [][]byte
	if len(t.paths) > 0 {
		values = make([][]byte, len(t.paths))
		findValues(a.Payload, t.paths, values)
	}
	room := MaxRunes
	for i := range t.parts {
		p := &t.parts[i]
		text := p.literal
		switch p.kind {
		case actorName:
			text = actor
			if text == "" {
				text = substitute("someone", room)
			}
		case resourceName:
			text = a.ResourceName
			if text == "" {
				text = substitute("the "+Words(a.ResourceType), room)
			}
		case resourceType:
			text = a.ResourceType
		case actionName:
			text = a.Action
		case statusName:
			text = string(a.Status)
		case severityName:
			text = string(a.Severity)
		case payloadValue:
			text = scalarText(values[p.path])
		}
		b, room = appendLine(b, text, room)
	}
	return b
}

// substitute capitalizes the substitute for a missing name at the start of the line.
func substitute(text string, room int) string {
	if room == MaxRunes {
		return Capitalize(text)
	}
	return text
}

// appendLine appends text to a line that has room for the given number of characters, and returns
// the room that is left. A negative result means that the line has been cut.
func appendLine(b []byte, text string, room int) ([]byte, int) {
	for _, r := range text {
		if room < 0 {
			break
		}
		if room--; room < 0 {
			_, last := utf8.DecodeLastRune(b)
			b = append(b[:len(b)-last], "…"...)
			break
		}
		if isControl(r) {
			r = ' '
		}
		b = utf8.AppendRune(b, r)
	}
	return b, room
}

// Words returns an identifier as words: "run started" for "run.started".
func Words(identifier string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '_' {
			return ' '
		}
		return r
	}, identifier)
}

// Capitalize returns the text with its first letter, if it is one of a to z, in upper case.
func Capitalize(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
