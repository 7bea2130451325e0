package taxonomy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The limits of patterns. A short pattern can have a long program: a{1000}.
const (
	maxPattern  = 1_000   // steps of a pattern
	maxPatterns = 100_000 // steps of all patterns of a taxonomy
)

// maxParts is the maximum number of subschemas of a schema after its references are resolved.
// Together with the ban of recursion it bounds the cost of validating a value: the number of nested
// alternatives can double with each level.
const maxParts = 5_000

// fault is a rule that a schema violates.
type fault struct {
	path        []string
	value, rule string
}

// compiler compiles the schemas of a taxonomy. The zero value is ready for use.
type compiler struct {
	steps int // of all patterns so far
}

// compile compiles a schema in the form that decode returns, or returns its faults.
func (c *compiler) compile(action string, schema any) (*jsonschema.Schema, []fault) {
	object, ok := schema.(map[string]any)
	if !ok || object["type"] != "object" {
		return nil, []fault{{path: []string{"type"}, rule: `must be "object", since a payload is an object`}}
	}
	faults := c.inspect(nil, nil, schema)
	if len(faults) == 0 {
		faults = (&expansion{root: schema, parts: map[string]int{}}).check()
	}
	if len(faults) > 0 {
		return nil, faults
	}
	location := "fanfare://taxonomy/" + action
	draft := jsonschema.NewCompiler()
	draft.DefaultDraft(jsonschema.Draft2020)
	draft.AssertFormat()
	draft.UseLoader(noLoader{})
	if err := draft.AddResource(location, schema); err != nil {
		return nil, []fault{{rule: notSchema}}
	}
	compiled, err := draft.Compile(location)
	if err == nil {
		return compiled, nil
	}
	var schemaErr *jsonschema.SchemaValidationError
	var validationErr *jsonschema.ValidationError
	if errors.As(err, &schemaErr) && errors.As(schemaErr.Err, &validationErr) {
		return nil, []fault{deepest(validationErr)}
	}
	return nil, []fault{{rule: notSchema}}
}

const notSchema = "must be a JSON Schema of draft 2020-12"

// inspect appends the faults of a schema that the library does not report, or cannot process.
func (c *compiler) inspect(faults []fault, path []string, schema any) []fault {
	// true and false are schemas too; the library reports other values.
	object, _ := schema.(map[string]any)
	for _, keyword := range slices.Sorted(maps.Keys(object)) {
		value := object[keyword]
		text, _ := value.(string)
		here := append(slices.Clone(path), keyword)
		refuse := func(value, rule string) { faults = append(faults, fault{here, value, rule}) }
		of, known := keywords[keyword]
		switch {
		case !known && !strings.HasPrefix(keyword, "x-"):
			refuse("", "is not a keyword of JSON Schema, draft 2020-12")
		case of == isUnsupported:
			refuse("", "is not supported")
		case of == isDialect && text != dialect:
			refuse(text, "must be "+dialect)
		case of == isReference && !strings.HasPrefix(text, definitions):
			refuse(text, "must be "+definitions+"<name>: a schema refers only to its own definitions")
		case of == isPattern && text != "":
			if rule := c.pattern(text); rule != "" {
				refuse(text, rule)
			}
		case of == isSchema:
			faults = c.inspect(faults, here, value)
		case of == isSchemas:
			list, _ := value.([]any)
			for i, inner := range list {
				faults = c.inspect(faults, append(slices.Clone(here), strconv.Itoa(i)), inner)
			}
		case of == isNamed:
			named, _ := value.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(named)) {
				if rule := c.pattern(name); keyword == "patternProperties" && rule != "" {
					refuse(name, rule)
				}
				faults = c.inspect(faults, append(slices.Clone(here), name), named[name])
			}
		}
	}
	return faults
}

// expansion counts the subschemas of a schema after its references are resolved.
type expansion struct {
	root  any
	parts map[string]int // by reference; counting while a reference is being counted
}

const counting = -1

func (x *expansion) check() []fault {
	n, bad := x.count(nil, x.root)
	if bad == nil && n > maxParts {
		bad = &fault{rule: fmt.Sprintf("must have at most %d subschemas after its references are resolved", maxParts)}
	}
	if bad != nil {
		return []fault{*bad}
	}
	return nil
}

func (x *expansion) count(path []string, schema any) (n int, bad *fault) {
	object, _ := schema.(map[string]any)
	n = 1
	add := func(path []string, inner any) {
		if bad == nil {
			var more int
			more, bad = x.count(path, inner)
			n = min(n+more, 1<<30)
		}
	}
	for _, keyword := range slices.Sorted(maps.Keys(object)) {
		value, here := object[keyword], append(slices.Clone(path), keyword)
		switch keywords[keyword] {
		case isReference:
			more, found := x.follow(here, value.(string)) // checked by inspect
			if bad == nil {
				n, bad = min(n+more, 1<<30), found
			}
		case isSchema:
			add(here, value)
		case isSchemas:
			list, _ := value.([]any)
			for i, inner := range list {
				add(append(slices.Clone(here), strconv.Itoa(i)), inner)
			}
		case isNamed:
			if keyword == "$defs" {
				continue // counted by their references
			}
			named, _ := value.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(named)) {
				add(append(slices.Clone(here), name), named[name])
			}
		}
	}
	return n, bad
}

// follow returns the number of subschemas of a reference.
func (x *expansion) follow(path []string, reference string) (int, *fault) {
	switch n, known := x.parts[reference]; {
	case n == counting:
		return 0, &fault{path, reference, "must not be recursive"}
	case known:
		return n, nil
	}
	target, ok := x.definition(reference)
	if !ok {
		return 0, &fault{path, reference, "does not exist"}
	}
	x.parts[reference] = counting
	n, bad := x.count(path, target)
	x.parts[reference] = n
	return n, bad
}

// definitions is the prefix of every reference: a JSON pointer (RFC 6901) as a URI fragment.
const definitions = "#/$defs/"

func (x *expansion) definition(reference string) (schema any, ok bool) {
	name, err := url.PathUnescape(strings.TrimPrefix(reference, definitions))
	if err != nil || strings.Contains(name, "/") {
		return nil, false
	}
	root, _ := x.root.(map[string]any)
	named, _ := root["$defs"].(map[string]any)
	schema, ok = named[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
	return schema, ok
}

// pattern returns the rule that a regular expression violates, or "".
func (c *compiler) pattern(text string) (rule string) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return "must be a regular expression of Go's package regexp (RE2)"
	}
	n := steps(parsed)
	if c.steps += n; n > maxPattern || c.steps > maxPatterns {
		return fmt.Sprintf("must have at most %d steps, and all patterns together at most %d", maxPattern, maxPatterns)
	}
	return ""
}

// steps estimates the length of the program of an expression without compiling it.
func steps(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += steps(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<30)
}

// noLoader loads no schemas.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a schema must not refer to another document")
}

// deepest returns the most specific violation of the meta-schema.
func deepest(e *jsonschema.ValidationError) fault {
	leaf := e
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 && (len(leaf.Causes) > 0 || len(e.InstanceLocation) > len(leaf.InstanceLocation)) {
			leaf = e
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(e)
	path, rule := leaf.InstanceLocation, notSchema
	if violations := leafViolations(nil, "JSON Schema", leaf); len(violations) > 0 {
		path, rule = violations[0].path, violations[0].rule
	}
	return fault{path: path, rule: rule}
}

// canonical returns the canonical JSON text of a schema: object keys are sorted, and numbers have
// no exponent.
func canonical(schema any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(plainNumbers(schema)); err != nil {
		panic("taxonomy: a decoded schema does not encode: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func plainNumbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = plainNumbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = plainNumbers(inner)
		}
	case json.Number:
		if plain, ok := plainNumber(string(v)); ok {
			return json.Number(plain)
		}
	}
	return value
}

// requiredKeys returns the keys that a schema requires at its top level, sorted.
func requiredKeys(schema any) []string {
	object, _ := schema.(map[string]any)
	listed, _ := object["required"].([]any)
	var keys []string
	for _, key := range listed {
		if key, ok := key.(string); ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// decode decodes JSON with numbers of the type json.Number.
func decode(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}
