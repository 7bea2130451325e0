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

// The bounds of an action's texts, in characters.
const (
	maxDescription = 2000
	maxWord        = 100 // of a category or an icon
	maxKey         = 200 // of a payload's key
	maxKeys        = 500 // that an action keeps
	maxSecretKeys  = 100
)

var actionRule = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)

// Parse reads a taxonomy from its file, a YAML document of at most MaxFileBytes (docs/taxonomy.md).
// The error is an *InvalidError that names everything which is wrong, unless the file cannot be
// read.
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
	compiler := &schemas{}
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
				entries[a.key] = r.entry(a, compiler)
				r.action = ""
			}
		default:
			r.refuse(p.line, p.key, "", "is not a field of a taxonomy: there are version, secret_keys and actions")
		}
	}
	if !version && !r.spent {
		r.refuse(document.Line, "version", "", "is required")
	}
	if !actions && !r.spent {
		r.refuse(document.Line, "actions", "", "is required")
	}
	return secretKeys
}

// entry reads one action.
func (r *reader) entry(a pair, compiler *schemas) *entry {
	e := &entry{Action: Action{Name: a.key, Severity: activity.Info, Visibility: activity.ResourceWide}}
	given := map[string]int{} // and in which line
	for _, p := range r.pairs(a.value, "", 3) {
		given[p.key] = p.line
		switch p.key {
		case "description":
			e.Description = r.words(p, maxDescription)
		case "category":
			e.Category = r.words(p, maxWord)
		case "icon":
			e.Icon = r.words(p, maxWord)
		case "severity":
			e.Severity = oneOf(r, p, activity.Info, activity.Warning, activity.Error, activity.Critical)
		case "visibility":
			e.Visibility = oneOf(
				r,
				p,
				activity.Private,
				activity.ResourceWide,
				activity.ScopeWide,
				activity.TenantVisible,
			)
		case "title":
			e.Title = r.phrase(p)
		case "summary":
			e.Summary = r.phrase(p)
		case "keep":
			e.Keep = r.keys(p, maxKeys, asItIs)
		case "max_payload_bytes":
			if n, ok := r.integer(p.value, p.key); ok && (n < 2 || n > activity.MaxPayloadBytes) {
				r.refuse(p.line, p.key, fmt.Sprint(n), fmt.Sprintf("must be 2 to %d", activity.MaxPayloadBytes))
			} else {
				e.MaxPayloadBytes = n
			}
		case "payload":
			r.schema(e, p, compiler)
		default:
			r.refuse(p.line, p.key, "", "is not a field of an action")
		}
	}
	if r.spent || resolved(a.value).Kind != yaml.MappingNode {
		return e
	}
	for _, field := range []string{"description", "category"} {
		if _, ok := given[field]; !ok {
			r.refuse(a.line, field, "", "is required")
		}
	}
	if builtin := r.builtins[a.key]; builtin != nil {
		e.fixAs(builtin)
	}
	r.agree(e, given)
	e.prepare()
	return e
}

// agree refuses what does not fit together: a payload that drops what else relies on.
func (r *reader) agree(e *entry, given map[string]int) {
	if e.Keep == nil {
		return
	}
	for _, key := range e.Required {
		if !slices.Contains(e.Keep, key) {
			r.refuse(given["keep"], "keep", "", fmt.Sprintf("must hold %q, which payload requires", cutKey(key)))
		}
	}
	for field, text := range map[string]string{"title": e.Title, "summary": e.Summary} {
		phrase, err := template.Parse(text)
		if err != nil {
			continue // told before
		}
		for _, path := range phrase.PayloadPaths() {
			if !slices.Contains(e.Keep, path[0]) {
				r.refuse(
					given[field],
					field,
					"",
					fmt.Sprintf("must not show {payload.%s}, which keep drops", strings.Join(path, ".")),
				)
			}
		}
	}
}

// prepare makes what checking takes of what the action says.
func (e *entry) prepare() {
	if e.Keep == nil {
		return
	}
	e.keep = make(map[string]bool, len(e.Keep))
	for _, key := range e.Keep {
		e.keep[key] = true
	}
}

// words reads a text that people read.
func (r *reader) words(p pair, most int) string {
	text, ok := r.scalar(p.value, p.key)
	if !ok {
		return ""
	}
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "" || n > most:
		r.refuse(p.line, p.key, text, fmt.Sprintf("must be 1 to %d characters, not all of them blank", most))
	case strings.ContainsRune(text, 0):
		r.refuse(p.line, p.key, "", "must hold no NUL character")
	}
	return text
}

func oneOf[Word ~string](r *reader, p pair, allowed ...Word) Word {
	text, ok := r.scalar(p.value, p.key)
	if !ok {
		return ""
	}
	if !slices.Contains(allowed, Word(text)) {
		words := make([]string, len(allowed))
		for i, word := range allowed {
			words[i] = string(word)
		}
		r.refuse(p.line, p.key, text, "must be one of "+strings.Join(words, ", "))
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

// keys reads names of a payload's keys.
func (r *reader) keys(p pair, most int, folded func(key string) string) []string {
	list, ok := r.texts(p.value, p.key)
	if !ok {
		return nil
	}
	if len(list) > most {
		r.refuse(p.line, p.key, fmt.Sprint(len(list), " keys"), fmt.Sprintf("must be at most %d keys", most))
	}
	for i, key := range list {
		key = folded(key)
		list[i] = key
		switch n := utf8.RuneCountInString(key); {
		case n < 1 || n > maxKey || strings.ContainsRune(key, 0):
			r.refuse(
				p.line,
				p.key,
				strings.ReplaceAll(key, "\x00", "\uFFFD"),
				fmt.Sprintf("must hold keys of 1 to %d characters without NUL", maxKey),
			)
		case slices.Contains(list[:i], key):
			r.refuse(p.line, p.key, key, "must not be in it twice")
		}
	}
	slices.Sort(list)
	return list
}

// schema reads and compiles the payload's schema.
func (r *reader) schema(e *entry, p pair, compiler *schemas) {
	at := lines{"": p.line}
	before := len(r.diagnostics) + r.more
	schema := r.json(p.value, p.key, nil, at)
	if r.spent || len(r.diagnostics)+r.more > before {
		return
	}
	found := e.compile(compiler, schema)
	for _, w := range found {
		field := p.key
		for _, key := range w.path {
			field = joined(field, key)
		}
		r.refuse(at.of(w.path), field, w.value, w.rule)
	}
}

// compile gives the action its schema, or says what is wrong with that.
func (e *entry) compile(compiler *schemas, schema any) []wrong {
	compiled, found := compiler.compile(e.Name, schema)
	if len(found) > 0 {
		return found
	}
	e.schema, e.Schema, e.Required = compiled, canonical(schema), requiredKeys(schema)
	return nil
}

func asItIs(key string) string { return key }
