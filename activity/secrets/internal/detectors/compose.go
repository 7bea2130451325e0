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

// Patterns are the regular expressions that match what any of a list of detectors matches. A key
// names a secret if Key matches it in lower case or Camel matches it; TextKey and TextCamel are the
// same for keys that do so only if their value is a text. A text holds a secret if one of Texts
// matches it.
type Patterns struct {
	Key, Camel         Pattern
	TextKey, TextCamel Pattern
	Texts              []TextPattern
}

// A TextPattern matches texts. The patterns are several, so that a text is only compared with those
// for which it contains a hint.
type TextPattern struct {
	Pattern Pattern
	Lower   bool     // the text is converted to lower case before
	Hints   []string // every text that the pattern matches contains one of them in lower case
	Marks   []string // and one of these, if there are any
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
	var p Patterns
	p.Key.group(`(`, detectors, func(d Detector) string { return d.Key }, `)`)
	p.Key.group(`(`, detectors, func(d Detector) string { return d.KeyEnd }, keyEnd)
	p.Key.group(`(^|[^a-z])(`, detectors, func(d Detector) string { return d.LastWord }, keyEnd)
	p.Camel.group(`[a-z0-9](`, detectors, func(d Detector) string { return capitals(d.LastWord) }, camelEnd)
	p.TextKey.group(`(`, detectors, func(d Detector) string { return d.TextKeyEnd }, keyEnd)
	p.TextKey.group(`(^|[^a-z])(`, detectors, func(d Detector) string { return d.TextLastWord }, keyEnd)
	p.TextCamel.group(`[a-z0-9](`, detectors, func(d Detector) string { return capitals(d.TextLastWord) }, camelEnd)
	texts := func(lower bool, marks []string, open string, of func(Detector) string, end ...string) {
		t := TextPattern{Lower: lower, Marks: marks}
		t.Pattern.group(open, detectors, of, end...)
		t.Hints = Hints(slices.DeleteFunc(slices.Clone(detectors), func(d Detector) bool { return of(d) == "" }))
		if len(t.Pattern) > 0 {
			p.Texts = append(p.Texts, t)
		}
	}
	texts(false, nil, `(`, func(d Detector) string { return d.Text }, `)`)
	texts(false, nil, `(^|[^A-Za-z0-9_])(`, func(d Detector) string { return d.Token }, `)`)
	texts(true, nil, `(`, func(d Detector) string { return d.Lower }, `)`)
	texts(true, []string{"=", ":"}, `(`, func(d Detector) string { return d.Assigned },
		append([]string{`)`}, assigned...)...)
	texts(true, []string{":"}, `(`, func(d Detector) string { return d.Header }, `)`+headerValue)
	return p
}

// The ends of the patterns of keys.
const (
	keyEnd   = `)[^a-z0-9]*$`
	camelEnd = `)[^A-Za-z0-9]*$`
)

// capitals returns the words of an alternation as a name in camel case writes them: Pwd and PWD.
func capitals(words string) string {
	if words == "" {
		return ""
	}
	var all []string
	for word := range strings.SplitSeq(words, "|") {
		all = append(all, strings.ToUpper(word[:1])+word[1:], strings.ToUpper(word))
	}
	return strings.Join(all, "|")
}

// group adds an alternation of the detectors' patterns that of selects, between open and the parts
// of end. It adds nothing if there is none.
func (p *Pattern) group(open string, detectors []Detector, of func(Detector) string, end ...string) {
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
	if len(*p) > 0 {
		open = "|" + open
	}
	*p = append(*p, Part{Text: open})
	*p = append(*p, parts...)
	for _, text := range end {
		*p = append(*p, Part{Text: text})
	}
}

// Hints returns the hints of the detectors, without those that contain another one.
func Hints(detectors []Detector) []string {
	var hints []string
	for _, d := range detectors {
		hints = append(hints, d.Hints...)
	}
	var needed []string
	for _, hint := range hints {
		implied := func(other string) bool { return other != hint && strings.Contains(hint, other) }
		if !slices.ContainsFunc(hints, implied) && !slices.Contains(needed, hint) {
			needed = append(needed, hint)
		}
	}
	return needed
}

// Expand returns an example with each … replaced by forty decimal digits.
func Expand(example string) string {
	return strings.ReplaceAll(example, "…", strings.Repeat("0123456789", 4))
}
