package taxonomy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Changes are the differences between two taxonomies. Each list is in the order of the names.
type Changes struct {
	Added   []Action `json:"added"`
	Removed []Action `json:"removed"`
	Changed []Change `json:"changed"`

	SecretKeys *FieldChange `json:"secret_keys,omitempty"` // nil if they are equal
}

// Change describes the differences of one action.
type Change struct {
	Action string        `json:"action"`
	Fields []FieldChange `json:"fields"` // at least one
}

// FieldChange is the previous and the new value of a field. A schema is compared field by field:
// "payload.properties.score.type". The value of an absent field is empty.
type FieldChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// Diff returns the changes that turn from into to. nil is a taxonomy without actions.
func Diff(from, to *Taxonomy) Changes {
	if from == nil {
		from = newTaxonomy(nil, nil)
	}
	if to == nil {
		to = newTaxonomy(nil, nil)
	}
	c := Changes{Added: []Action{}, Removed: []Action{}, Changed: []Change{}}
	for _, name := range to.names {
		after := to.byName[name].Action
		before, ok := from.byName[name]
		if !ok {
			c.Added = append(c.Added, after.clone())
		} else if fields := diffFields(before.Action, after); len(fields) > 0 {
			c.Changed = append(c.Changed, Change{Action: name, Fields: fields})
		}
	}
	for _, name := range from.names {
		if _, ok := to.byName[name]; !ok {
			c.Removed = append(c.Removed, from.byName[name].Action.clone())
		}
	}
	if !slices.Equal(from.secretKeys, to.secretKeys) {
		c.SecretKeys = &FieldChange{"secret_keys", listText(from.secretKeys), listText(to.secretKeys)}
	}
	return c
}

// Len returns the number of added, removed and changed actions, plus one if the secret keys differ.
func (c Changes) Len() int {
	n := len(c.Added) + len(c.Removed) + len(c.Changed)
	if c.SecretKeys != nil {
		n++
	}
	return n
}

// String returns one line for each difference: the secret keys first, then the actions with the
// prefix "+", "-" or "~", and an indented line for each field of a changed action. Every line ends
// in a line break; without differences the text is empty.
func (c Changes) String() string {
	type line struct{ action, text string }
	lines := make([]line, 0, c.Len())
	for _, a := range c.Added {
		lines = append(lines, line{a.Name, "+ " + a.Name + "   " + a.Description + "\n"})
	}
	for _, a := range c.Removed {
		lines = append(lines, line{a.Name, "- " + a.Name + "   " + a.Description + "\n"})
	}
	for _, change := range c.Changed {
		text := "~ " + change.Action + "\n"
		for _, f := range change.Fields {
			text += fmt.Sprintf("    %s: %s → %s\n", f.Field, orNone(f.From), orNone(f.To))
		}
		lines = append(lines, line{change.Action, text})
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.action, b.action) })
	var b strings.Builder
	if f := c.SecretKeys; f != nil {
		fmt.Fprintf(&b, "~ %s: %s → %s\n", f.Field, orNone(f.From), orNone(f.To))
	}
	for _, l := range lines {
		b.WriteString(l.text)
	}
	return b.String()
}

func orNone(text string) string {
	if text == "" {
		return "(none)"
	}
	return strings.ReplaceAll(text, "\n", `\n`)
}

func diffFields(from, to Action) (fields []FieldChange) {
	add := func(field, a, b string) {
		if a != b {
			fields = append(fields, FieldChange{field, a, b})
		}
	}
	add("description", from.Description, to.Description)
	add("category", from.Category, to.Category)
	add("severity", string(from.Severity), string(to.Severity))
	add("visibility", string(from.Visibility), string(to.Visibility))
	add("notify", string(from.Notify), string(to.Notify))
	add("title", from.Title, to.Title)
	add("summary", from.Summary, to.Summary)
	add("icon", from.Icon, to.Icon)
	add("keep", keepText(from.Keep), keepText(to.Keep))
	add("max_payload_bytes", limitText(from.MaxPayloadBytes), limitText(to.MaxPayloadBytes))
	diffSchemas("payload", decoded(from.Schema), decoded(to.Schema), add)
	return fields
}

func keepText(keep []string) string {
	if keep == nil {
		return ""
	}
	return jsonText(keep)
}

func listText(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return jsonText(list)
}

func limitText(bytes int) string {
	if bytes == 0 {
		return ""
	}
	return strconv.Itoa(bytes)
}

// absent is the value of a field that a schema does not have. It is distinct from null.
type absent struct{}

func decoded(schema json.RawMessage) any {
	if schema == nil {
		return absent{}
	}
	value, err := decode(schema)
	if err != nil {
		panic("taxonomy: decode a compiled schema: " + err.Error())
	}
	return value
}

// diffSchemas adds the differences of two schemas. It compares objects key by key.
func diffSchemas(field string, from, to any, add func(field, from, to string)) {
	a, isObject := from.(map[string]any)
	b, areObjects := to.(map[string]any)
	if !isObject || !areObjects {
		add(field, schemaText(from), schemaText(to))
		return
	}
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		diffSchemas(joined(field, key), get(a, key), get(b, key), add)
	}
}

func get(object map[string]any, key string) any {
	if value, ok := object[key]; ok {
		return value
	}
	return absent{}
}

func schemaText(value any) string {
	if value == (absent{}) {
		return ""
	}
	return jsonText(value)
}

func jsonText(value any) string {
	return string(canonical(value))
}
