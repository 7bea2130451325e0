package taxonomy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Changes is what sets one taxonomy apart from another. It says so as text and as JSON.
type Changes struct {
	Added   []Action `json:"added"`   // by name, as the others
	Removed []Action `json:"removed"` //
	Changed []Change `json:"changed"`

	SecretKeys *FieldChange `json:"secret_keys,omitempty"` // nil when they are the same
}

// Change is what is different about one action.
type Change struct {
	Action string        `json:"action"`
	Fields []FieldChange `json:"fields"` // at least one
}

// FieldChange is one field's. A part of a schema has a field of its own:
// "payload.properties.score.type". What is not given is empty.
type FieldChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// Diff returns what must change for from to become to. nil is a taxonomy without actions.
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
		before, there := from.byName[name]
		if !there {
			c.Added = append(c.Added, after.clone())
		} else if fields := diffFields(before.Action, after); len(fields) > 0 {
			c.Changed = append(c.Changed, Change{Action: name, Fields: fields})
		}
	}
	for _, name := range from.names {
		if _, there := to.byName[name]; !there {
			c.Removed = append(c.Removed, from.byName[name].Action.clone())
		}
	}
	if !slices.Equal(from.secretKeys, to.secretKeys) {
		c.SecretKeys = &FieldChange{"secret_keys", listText(from.secretKeys), listText(to.secretKeys)}
	}
	return c
}

// Len returns how many actions differ, the secret keys counted as one more.
func (c Changes) Len() int {
	n := len(c.Added) + len(c.Removed) + len(c.Changed)
	if c.SecretKeys != nil {
		n++
	}
	return n
}

// String returns a line for each action that differs, "+", "-" or "~" before it, and under a
// changed one a line for each field; before them the secret keys. It is empty when nothing differs,
// and ends in a line break when something does.
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
			text += fmt.Sprintf("    %s: %s → %s\n", f.Field, orNothing(f.From), orNothing(f.To))
		}
		lines = append(lines, line{change.Action, text})
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.action, b.action) })
	var b strings.Builder
	if f := c.SecretKeys; f != nil {
		fmt.Fprintf(&b, "~ %s: %s → %s\n", f.Field, orNothing(f.From), orNothing(f.To))
	}
	for _, l := range lines {
		b.WriteString(l.text)
	}
	return b.String()
}

func orNothing(text string) string {
	if text == "" {
		return "(nothing)"
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
	add("title", from.Title, to.Title)
	add("summary", from.Summary, to.Summary)
	add("icon", from.Icon, to.Icon)
	add("keep", keepText(from.Keep), keepText(to.Keep))
	add("max_payload_bytes", capText(from.MaxPayloadBytes), capText(to.MaxPayloadBytes))
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

func capText(bytes int) string {
	if bytes == 0 {
		return ""
	}
	return strconv.Itoa(bytes)
}

// absent stands for what a schema does not have, which null could not.
type absent struct{}

func decoded(schema json.RawMessage) any {
	if schema == nil {
		return absent{}
	}
	value, err := decode(schema)
	if err != nil {
		panic("taxonomy: a schema that was compiled does not decode: " + err.Error())
	}
	return value
}

// diffSchemas goes down where both sides are objects.
func diffSchemas(field string, from, to any, add func(field, from, to string)) {
	a, both := from.(map[string]any)
	b, too := to.(map[string]any)
	if !both || !too {
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
