package detectors

import (
	"slices"
	"strings"
)

// A Part is a part of a composed pattern.
type Part struct {
	Text     string
	Detector string // the name of the detector that it comes from, or ""
}

// A Pattern is a regular expression in parts. Its text is that of the parts, one after the other.
type Pattern []Part

func (p Pattern) String() string {
	var text strings.Builder
	for _, part := range p {
		text.WriteString(part.Text)
	}
	return text.String()
}

// Patterns are the regular expressions that match what any of a list of detectors matches. A text
// holds a secret if Text matches it, or if Lower matches it in lower case.
type Patterns struct {
	Key   Pattern // for keys of payloads in lower case
	Text  Pattern // for texts
	Lower Pattern // for texts in lower case
}

// assigned are the forms in which a value follows the name of a secret: behind an equals sign;
// behind a colon, where both are quoted; and a number behind a colon, where the name is quoted.
var assigned = []string{
	`([^a-z0-9 =:]{0,8}=[^a-z0-9]{0,8}[^ ]{3}`,
	`|[^a-z0-9 =:]{1,8} ?: ?[^a-z0-9 ]{1,8}[^ ]{3}`,
	`|[^a-z0-9 =:]{0,7}["'] ?: ?[0-9]{4})`,
}

// headerValue is what follows the name of an HTTP header.
const headerValue = `: *((basic|digest|token) +)?[^ ]{6}`

// Compose returns the patterns of the detectors. A pattern without parts, to which no detector
// contributes, matches nothing.
func Compose(detectors []Detector) Patterns {
	var key, text, lower alternatives
	key.group(`(`, detectors, func(d Detector) string { return d.Key }, `)`)
	key.group(`(`, detectors, func(d Detector) string { return d.KeyEnd }, `)[^a-z0-9]*$`)
	key.group(`(^|[^a-z])(`, detectors, func(d Detector) string { return d.LastWord }, `)[^a-z0-9]*$`)
	text.group(`(`, detectors, func(d Detector) string { return d.Text }, `)`)
	text.group(`(^|[^A-Za-z0-9_])(`, detectors, func(d Detector) string { return d.Token }, `)`)
	lower.group(`(`, detectors, func(d Detector) string { return d.Assigned }, append([]string{`)`}, assigned...)...)
	lower.group(`(`, detectors, func(d Detector) string { return d.Header }, `)`+headerValue)
	return Patterns{Key: Pattern(key), Text: Pattern(text), Lower: Pattern(lower)}
}

// alternatives are the parts of a pattern to which groups are added.
type alternatives []Part

// group adds an alternation of the detectors' patterns that of selects, between open and the parts
// of end. It adds nothing if there is none.
func (a *alternatives) group(open string, detectors []Detector, of func(Detector) string, end ...string) {
	parts := []Part{}
	for _, d := range detectors {
		if pattern := of(d); pattern != "" {
			parts = append(parts, Part{Text: "|" + pattern, Detector: d.Name})
		}
	}
	if len(parts) == 0 {
		return
	}
	parts[0].Text = strings.TrimPrefix(parts[0].Text, "|")
	if len(*a) > 0 {
		open = "|" + open
	}
	*a = append(*a, Part{Text: open})
	*a = append(*a, parts...)
	for _, text := range end {
		*a = append(*a, Part{Text: text})
	}
}

// Hints returns the hints of the detectors, each once.
func Hints(detectors []Detector) []string {
	var hints []string
	for _, d := range detectors {
		for _, hint := range d.Hints {
			if !slices.Contains(hints, hint) {
				hints = append(hints, hint)
			}
		}
	}
	return hints
}

// Expand returns an example with each … replaced by forty decimal digits.
func Expand(example string) string {
	return strings.ReplaceAll(example, "…", strings.Repeat("0123456789", 4))
}
