package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

// goPackage collects the identifiers and the errors of the package.
type goPackage struct {
	names names
	errs  []error
}

// action is the Go source of an action.
type action struct {
	name, resourceType   string
	constant, typeName   string
	comment, declaration string   // of the payload's type
	nested               []string // declarations of further types, with their comments
	imports              map[string]bool
	p                    *goPackage
}

// schema has the keywords of a JSON Schema that determine a Go type.
type schema struct {
	Description string                     `json:"description"`
	Type        any                        `json:"type"`
	Format      string                     `json:"format"`
	Enum        []any                      `json:"enum"`
	Properties  map[string]json.RawMessage `json:"properties"`
	Required    []string                   `json:"required"`
	Items       json.RawMessage            `json:"items"`
	Additional  json.RawMessage            `json:"additionalProperties"`
	AllOf       json.RawMessage            `json:"allOf"`
	AnyOf       json.RawMessage            `json:"anyOf"`
	OneOf       json.RawMessage            `json:"oneOf"`
	Ref         string                     `json:"$ref"`
	Deprecated  bool                       `json:"deprecated"`
}

// read reads a schema. ok is false if no Go type corresponds to it.
func read(raw json.RawMessage) (s schema, ok bool) {
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil || bytes.HasPrefix(bytes.TrimSpace(raw), []byte("null")) {
		return schema{}, false
	}
	return s, s.AllOf == nil && s.AnyOf == nil && s.OneOf == nil && s.Ref == ""
}

func (p *goPackage) action(a taxonomy.Action) *action {
	identifier := exported(a.Name)
	generated := &action{name: a.Name, imports: map[string]bool{}, p: p}
	generated.typeName = p.names.add(identifier, a.Name)
	generated.constant = p.names.add("Name"+identifier, "the name of "+a.Name)
	about := fmt.Sprintf("%s is the payload of %s: %s", identifier, a.Name, a.Description)
	if a.Keep != nil {
		about += " No other keys are stored."
	}
	generated.comment = comment(about, 0)
	body := "map[string]any"
	if s, ok := read(a.Schema); ok && s.Type == "object" {
		if len(s.Properties) > 0 {
			if fields, ok := generated.fields(identifier, s); ok {
				body = fields
			}
		} else if string(s.Additional) == "false" {
			body = "struct{}"
		}
	}
	generated.declaration = fmt.Sprintf("type %s %s\n", identifier, body)
	return generated
}

// fields returns the struct type of an object, with the required properties first. ok is false if a
// property has a name that is not valid in a tag or has no identifier.
func (a *action) fields(parent string, s schema) (text string, ok bool) {
	var b strings.Builder
	b.WriteString("struct {\n")
	used := names{}
	properties := slices.SortedFunc(maps.Keys(s.Properties), func(one, other string) int {
		if r := slices.Contains(s.Required, one); r != slices.Contains(s.Required, other) {
			if r {
				return -1
			}
			return 1
		}
		return strings.Compare(one, other)
	})
	for _, name := range properties {
		if !taggable(name) || exported(name) == "" {
			return "", false
		}
	}
	for _, name := range properties {
		field := exported(name)
		if field == "On" {
			field = "OnValue"
		}
		used.add(field, fmt.Sprintf("%s of %s", name, a.name))
		required := slices.Contains(s.Required, name)
		t := a.typeOf(parent+field, s.Properties[name])
		options := ""
		if !required {
			options = ",omitzero"
			if t.zero {
				t.name = "*" + t.name
			}
		} else if t.empty != "" {
			t.note = append(t.note, "It must not be nil; an empty value is "+t.empty+".")
		}
		if about := strings.Join(t.note, " "); about != "" {
			b.WriteString(comment(about, 1))
		}
		fmt.Fprintf(&b, "%s %s `json:\"%s%s\"`\n", field, t.name, name, options)
	}
	a.p.errs = append(a.p.errs, used.collisions()...)
	b.WriteString("}")
	return b.String(), true
}

// taggable reports whether encoding/json accepts a name in a struct tag.
func taggable(name string) bool {
	return name != "" && name != "-" &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == ""
}

// goType is the Go type of a schema.
type goType struct {
	name  string
	zero  bool     // the zero value is meaningful, so an optional field is a pointer
	empty string   // the expression of an empty value, if nil would be encoded as null
	note  []string // sentences of the field's comment
}

// typeOf returns the type of a schema. It declares further types with the prefix name.
func (a *action) typeOf(name string, raw json.RawMessage) goType {
	s, ok := read(raw)
	t := goType{}
	if s.Description != "" {
		t.note = append(t.note, sentence(s.Description))
	}
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, value := range s.Enum {
			text, _ := json.Marshal(value)
			values[i] = strings.Trim(string(text), `"`)
		}
		t.note = append(t.note, "One of "+strings.Join(values, ", ")+".")
	}
	if s.Deprecated {
		t.note = append(t.note, "Deprecated.")
	}
	kind, _ := s.Type.(string)
	null := false
	if kinds, several := s.Type.([]any); several {
		kinds = slices.DeleteFunc(slices.Clone(kinds), func(k any) bool { return k == "null" })
		if null = len(kinds) < len(s.Type.([]any)); null && len(kinds) == 1 {
			kind, _ = kinds[0].(string)
		}
	}
	switch {
	case !ok:
	case kind == "string" && s.Format == "uuid":
		a.imports[uuidPath] = true
		t.name = "uuid.UUID"
	case kind == "string" && s.Format == "date-time":
		a.imports["time"] = true
		t.name = "time.Time"
	case kind == "string":
		t.name = "string"
	case kind == "integer":
		t.name, t.zero = "int", true
	case kind == "number":
		t.name, t.zero = "float64", true
	case kind == "boolean":
		t.name, t.zero = "bool", true
	case kind == "array":
		element := a.element(name, s.Items)
		t.name, t.empty = "[]"+element, "[]"+element+"{}"
	case kind == "object" && len(s.Properties) > 0:
		if fields, ok := a.fields(name, s); ok {
			a.p.names.add(name, fmt.Sprintf("a part of %s", a.name))
			a.nested = append(
				a.nested,
				comment(fmt.Sprintf("%s is part of the payload of %s.", name, a.name), 0)+
					fmt.Sprintf("type %s %s\n", name, fields),
			)
			t.name, t.zero = name, true
			break
		}
		t.name, t.empty = "map[string]any", "map[string]any{}"
	case kind == "object":
		t.name = "map[string]" + a.values(name, s.Additional)
		t.empty = t.name + "{}"
	}
	if t.name == "" {
		a.imports["encoding/json"] = true
		t.name, t.zero, t.empty = "json.RawMessage", false, ""
	} else if null && t.empty == "" {
		t.name, t.zero = "*"+t.name, false
	} else if null {
		t.empty = ""
	}
	return t
}

// element returns the type of the items of an array.
func (a *action) element(name string, items json.RawMessage) string {
	if _, ok := read(items); !ok {
		return "any"
	}
	return a.typeOf(name+"Item", items).name
}

// values returns the type of the values of an object with arbitrary keys.
func (a *action) values(name string, additional json.RawMessage) string {
	if _, ok := read(additional); !ok {
		return "any"
	}
	return a.typeOf(name+"Value", additional).name
}

func sentence(text string) string {
	if text = strings.TrimSpace(text); strings.HasSuffix(text, ".") || text == "" {
		return text
	}
	return text + "."
}
