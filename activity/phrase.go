package activity

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The bounds of a phrase.
const (
	MaxPhraseRunes = 500 // of its text, and of what it renders
	maxFound       = 16  // payload placeholders
	maxPath        = 8   // words of one, "payload" not counted
)

// Phrase is a text about an activity with placeholders in it: "{actor} created {resource}". The
// zero value renders nothing. It is safe for concurrent use.
type Phrase struct {
	text  string
	parts []part
	paths [][]string // of the payload placeholders
}

// part is a literal text or a placeholder.
type part struct {
	is      byte
	literal string
	path    int // of Phrase.paths
}

const (
	isLiteral = iota
	isActor
	isResource
	isResourceType
	isAction
	isStatus
	isSeverity
	isPayload
)

var placeholders = map[string]byte{
	"actor": isActor, "resource": isResource, "resource_type": isResourceType, "action": isAction, "status": isStatus, "severity": isSeverity,
}

// PhraseError says where a phrase breaks which rule.
type PhraseError struct {
	At   int    // the character, counted from 1; 0 is the whole
	Text string // what is wrong, shortened
	Rule string // "must be …"
}

func (e *PhraseError) Error() string {
	if e.At == 0 {
		return "the text " + e.Rule
	}
	return fmt.Sprintf("character %d: %q %s", e.At, e.Text, e.Rule)
}

// ParsePhrase reads a phrase. A placeholder is one of {actor}, {resource}, {resource_type},
// {action}, {status}, {severity}, or a value of the payload: {payload.score}, {payload.run.id}. {{
// and }} stand for the braces themselves. The error is a *PhraseError.
func ParsePhrase(text string) (Phrase, error) {
	p := Phrase{text: text}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, isControl) {
		return Phrase{}, &PhraseError{Rule: "must be valid UTF-8 without control characters"}
	}
	if utf8.RuneCountInString(text) > MaxPhraseRunes {
		return Phrase{}, &PhraseError{Rule: fmt.Sprintf("must be at most %d characters", MaxPhraseRunes)}
	}
	var literal strings.Builder
	for at := 0; at < len(text); {
		brace := strings.IndexAny(text[at:], "{}")
		if brace < 0 {
			literal.WriteString(text[at:])
			break
		}
		literal.WriteString(text[at : at+brace])
		at += brace
		if rest := text[at:]; strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}") {
			literal.WriteByte(rest[0])
			at += 2
			continue
		}
		end := strings.IndexAny(text[at+1:], "{}")
		if text[at] == '}' || end < 0 || text[at+1+end] == '{' {
			return Phrase{}, &PhraseError{
				At: utf8.RuneCountInString(text[:at]) + 1, Text: shortened(text[at:]),
				Rule: "must not hold an unpaired brace; {{ and }} stand for braces",
			}
		}
		if literal.Len() > 0 {
			p.parts = append(p.parts, part{literal: literal.String()})
			literal.Reset()
		}
		if rule := p.add(text[at+1 : at+1+end]); rule != "" {
			return Phrase{}, &PhraseError{
				At:   utf8.RuneCountInString(text[:at]) + 1,
				Text: shortened(text[at : at+end+2]),
				Rule: rule,
			}
		}
		at += end + 2
	}
	if literal.Len() > 0 {
		p.parts = append(p.parts, part{literal: literal.String()})
	}
	return p, nil
}

// add adds a placeholder, or returns the rule that it breaks.
func (p *Phrase) add(name string) (rule string) {
	if is, known := placeholders[name]; known {
		p.parts = append(p.parts, part{is: is})
		return ""
	}
	words := strings.Split(name, ".")
	if words[0] != "payload" {
		return "must be {actor}, {resource}, {resource_type}, {action}, {status}, {severity} or {payload.<key>}"
	}
	if len(words) < 2 || len(words) > maxPath+1 {
		return fmt.Sprintf("must name 1 to %d keys: {payload.score}, {payload.run.id}", maxPath)
	}
	for _, word := range words[1:] {
		if word == "" || strings.ContainsFunc(word, notInKey) {
			return "must name keys of letters, digits, _ and -"
		}
	}
	if len(p.paths) == maxFound {
		return fmt.Sprintf("must be one of at most %d values of the payload", maxFound)
	}
	p.parts = append(p.parts, part{is: isPayload, path: len(p.paths)})
	p.paths = append(p.paths, words[1:])
	return ""
}

func notInKey(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' && r != '-'
}

func isControl(r rune) bool { return r < ' ' || 0x7F <= r && r < 0xA0 }

func shortened(text string) string {
	if cut := []rune(text); len(cut) > 40 {
		return string(cut[:39]) + "…"
	}
	return text
}

// String returns the text that was parsed.
func (p Phrase) String() string { return p.text }

// IsZero reports whether the phrase renders nothing.
func (p Phrase) IsZero() bool { return len(p.parts) == 0 }

// PayloadPaths returns the payload's values that the phrase shows, as the keys that lead to each.
func (p Phrase) PayloadPaths() [][]string { return p.paths }

// Append appends the phrase with an activity's values in it, actor being the name of who did it. It
// is one line of at most MaxPhraseRunes characters; what is longer ends in "…". An actor without a
// name is "someone", a resource without one is named after its type, and a value that the payload
// lacks, or that is no string, number or boolean, is left out.
func (p Phrase) Append(b []byte, a *Activity, actor string) []byte {
	var found [][]byte
	if len(p.paths) > 0 {
		found = make([][]byte, len(p.paths))
		findAll(a.Payload, p.paths, found)
	}
	left := MaxPhraseRunes
	for i := range p.parts {
		part := &p.parts[i]
		text := part.literal
		switch part.is {
		case isActor:
			text = actor
			if text == "" {
				text = standIn("someone", left)
			}
		case isResource:
			text = a.ResourceName
			if text == "" {
				text = standIn("the "+wordsOf(a.ResourceType), left)
			}
		case isResourceType:
			text = a.ResourceType
		case isAction:
			text = a.Action
		case isStatus:
			text = string(a.Status)
		case isSeverity:
			text = string(a.Severity)
		case isPayload:
			text = textOf(found[part.path])
		}
		b, left = appendLine(b, text, left)
	}
	return b
}

// standIn begins with a capital where the line does.
func standIn(text string, left int) string {
	if left == MaxPhraseRunes {
		return titled(text)
	}
	return text
}

// appendLine appends a text to a line that has room for so many characters more, and returns how
// many are left; below 0 the line is cut.
func appendLine(b []byte, text string, left int) ([]byte, int) {
	for _, r := range text {
		if left < 0 {
			break
		}
		if left--; left < 0 {
			_, last := utf8.DecodeLastRune(b)
			b = append(b[:len(b)-last], "…"...)
			break
		}
		if isControl(r) {
			r = ' '
		}
		b = utf8.AppendRune(b, r)
	}
	return b, left
}

// textOf returns a JSON string, number or boolean as a text, and "" for all else.
func textOf(raw []byte) string {
	switch {
	case len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || raw[0] == 'n':
		return ""
	case raw[0] != '"':
		return string(raw)
	case len(raw) < 2: // it does not end
		return ""
	default:
		return unquoted(raw)
	}
}

// unquoted leaves what holds escapes to encoding/json; most strings hold none.
func unquoted(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	for _, b := range inner {
		if b == '\\' {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				return ""
			}
			return text
		}
	}
	return string(inner)
}
