package taxonomy

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/secrets"
	"github.com/fanfarehq/fanfare/activity/taxonomy/template"
)

// The limits of an action's fields.
const (
	maxDescription = 2000 // characters
	maxLabel       = 100  // characters of a category or an icon
	maxKey         = 200  // characters of a key
	maxKeys        = 500  // keys that an action keeps
	maxSecretKeys  = 100  // keys
)

var actionRule = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)

// Parse reads a taxonomy's file, a YAML document of at most MaxFileBytes (docs/taxonomy.md). If the
// file is invalid, the error is an *InvalidError with all diagnostics.
func Parse(file io.Reader) (*Taxonomy, error) { return read(file, builtins().byName) }

func read(file io.Reader, builtins map[string]*entry) (*Taxonomy, error) {
	r := &reader{builtins: builtins}
	document, err := r.open(file)
	if err != nil {
		return nil, err
	}
	entries := map[string]*entry{}
	var secretKeys []string
	if document != nil {
		secretKeys = r.document(document, entries)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return newTaxonomy(entries, secretKeys), nil
}

func (r *reader) document(document *yaml.Node, entries map[string]*entry) (secretKeys []string) {
	version, actions := false, false
	c := &compiler{}
	for _, p := range r.pairs(document, "", 1) {
		switch p.key {
		case "version":
			version = true
			if n, ok := r.integer(p.value, p.key); ok && n != 1 {
				r.refuse(p.line, p.key, fmt.Sprint(n), "must be 1")
			}
		case "secret_keys":
			secretKeys = r.keys(p, maxSecretKeys, secrets.LowerASCII)
		case "actions":
			actions = true
			for _, a := range r.pairs(p.value, p.key, 2) {
				r.action = shortened(a.key)
				if len(a.key) < 3 || len(a.key) > 100 || !actionRule.MatchString(a.key) {
					r.refuse(
						a.line,
						"",
						"",
						"must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot",
					)
				}
				entries[a.key] = r.entry(a, c)
				r.action = ""
			}
		default:
			r.refuse(p.line, p.key, "", "is not a field of a taxonomy; the fields are version, secret_keys and actions")
		}
	}
	if !version && !r.exhausted {
		r.refuse(document.Line, "version", "", "is required")
	}
	if !actions && !r.exhausted {
		r.refuse(document.Line, "actions", "", "is required")
	}
	return secretKeys
}

// entry reads one action.
func (r *reader) entry(a pair, c *compiler) *entry {
	e := &entry{Action: Action{Name: a.key, Severity: activity.Info, Visibility: activity.ResourceWide}}
	lineOf := map[string]int{} // by field
	for _, p := range r.pairs(a.value, "", 3) {
		lineOf[p.key] = p.line
		switch p.key {
		case "description":
			e.Description = r.text(p, maxDescription)
		case "category":
			e.Category = r.text(p, maxLabel)
		case "icon":
			e.Icon = r.text(p, maxLabel)
		case "severity":
			e.Severity = oneOf(r, p, activity.Info, activity.Warning, activity.Error, activity.Critical)
		case "visibility":
			e.Visibility = oneOf(r, p, activity.Visibilities()...)
		case "notify":
			e.Notify = oneOf(r, p, activity.NotifyDefault, activity.NotifyOptional, activity.NotifyMandatory)
		case "title":
			e.Title = r.phrase(p)
		case "summary":
			e.Summary = r.phrase(p)
		case "keep":
			e.Keep = r.keys(p, maxKeys, unchanged)
		case "max_payload_bytes":
			if n, ok := r.integer(p.value, p.key); ok && (n < 2 || n > activity.MaxPayloadBytes) {
				r.refuse(p.line, p.key, fmt.Sprint(n), fmt.Sprintf("must be 2 to %d", activity.MaxPayloadBytes))
			} else {
				e.MaxPayloadBytes = n
			}
		case "payload":
			r.schema(e, p, c)
		default:
			r.refuse(p.line, p.key, "", "is not a field of an action")
		}
	}
	if r.exhausted || resolved(a.value).Kind != yaml.MappingNode {
		return e
	}
	for _, field := range []string{"description", "category"} {
		if _, ok := lineOf[field]; !ok {
			r.refuse(a.line, field, "", "is required")
		}
	}
	if builtin := r.builtins[a.key]; builtin != nil {
		e.fixAs(builtin)
	}
	r.checkKeep(e, lineOf)
	e.prepare()
	return e
}

// checkKeep reports keys that keep drops although the schema requires them or a template shows
// them.
func (r *reader) checkKeep(e *entry, lineOf map[string]int) {
	if e.Keep == nil {
		return
	}
	for _, key := range e.Required {
		if !slices.Contains(e.Keep, key) {
			r.refuse(lineOf["keep"], "keep", "", fmt.Sprintf("must contain %q, which payload requires", cutKey(key)))
		}
	}
	for field, text := range map[string]string{"title": e.Title, "summary": e.Summary} {
		phrase, err := template.Parse(text)
		if err != nil {
			continue // reported by template
		}
		for _, path := range phrase.PayloadPaths() {
			if !slices.Contains(e.Keep, path[0]) {
				r.refuse(
					lineOf[field],
					field,
					"",
					fmt.Sprintf("must not show {payload.%s}, which keep drops", strings.Join(path, ".")),
				)
			}
		}
	}
}

// prepare sets the fields that Check uses.
func (e *entry) prepare() {
	if e.Keep == nil {
		return
	}
	e.keep = make(map[string]bool, len(e.Keep))
	for _, key := range e.Keep {
		e.keep[key] = true
	}
}

// text reads a text that is not blank.
func (r *reader) text(p pair, maxRunes int) string {
	text, ok := r.scalar(p.value, p.key)
	if !ok {
		return ""
	}
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "" || n > maxRunes:
		r.refuse(p.line, p.key, text, fmt.Sprintf("must be 1 to %d characters that are not all blank", maxRunes))
	case strings.ContainsRune(text, 0):
		r.refuse(p.line, p.key, "", "must not contain a NUL character")
	}
	return text
}

func oneOf[Word ~string](r *reader, p pair, allowed ...Word) Word {
	text, ok := r.scalar(p.value, p.key)
	if !ok {
		return ""
	}
	if !slices.Contains(allowed, Word(text)) {
		values := make([]string, len(allowed))
		for i, value := range allowed {
			values[i] = string(value)
		}
		r.refuse(p.line, p.key, text, "must be one of "+strings.Join(values, ", "))
	}
	return Word(text)
}

func (r *reader) phrase(p pair) string {
	text, ok := r.scalar(p.value, p.key)
	if !ok {
		return ""
	}
	if _, err := template.Parse(text); err != nil {
		r.refuse(p.line, p.key, "", "is not a template: "+err.Error())
	}
	return text
}

// keys reads a list of a payload's keys, and normalizes and sorts them.
func (r *reader) keys(p pair, maxLen int, normalize func(key string) string) []string {
	list, ok := r.texts(p.value, p.key)
	if !ok {
		return nil
	}
	if len(list) > maxLen {
		r.refuse(p.line, p.key, fmt.Sprint(len(list), " keys"), fmt.Sprintf("must be at most %d keys", maxLen))
	}
	for i, key := range list {
		key = normalize(key)
		list[i] = key
		switch n := utf8.RuneCountInString(key); {
		case n < 1 || n > maxKey || strings.ContainsRune(key, 0):
			r.refuse(
				p.line,
				p.key,
				strings.ReplaceAll(key, "\x00", "\uFFFD"),
				fmt.Sprintf("must contain keys of 1 to %d characters without NUL", maxKey),
			)
		case slices.Contains(list[:i], key):
			r.refuse(p.line, p.key, key, "must not be listed twice")
		}
	}
	slices.Sort(list)
	return list
}

// schema reads and compiles the payload's schema.
func (r *reader) schema(e *entry, p pair, c *compiler) {
	lineOf := lines{"": p.line}
	before := len(r.diagnostics) + r.more
	schema := r.json(p.value, p.key, nil, lineOf)
	if r.exhausted || len(r.diagnostics)+r.more > before {
		return
	}
	for _, f := range e.compile(c, schema) {
		field := p.key
		for _, key := range f.path {
			field = joined(field, key)
		}
		r.refuse(lineOf.of(f.path), field, f.value, f.rule)
	}
}

// compile sets the schema of the action, or returns what is invalid in it.
func (e *entry) compile(c *compiler, schema any) []fault {
	compiled, faults := c.compile(e.Name, schema)
	if len(faults) > 0 {
		return faults
	}
	e.schema, e.Schema, e.Required = compiled, canonical(schema), requiredKeys(schema)
	return nil
}

func unchanged(key string) string { return key }
