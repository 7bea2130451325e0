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

// The bounds of patterns, since the program of a short one can be very long: a{1000}.
const (
	maxPattern  = 1_000   // steps of one
	maxPatterns = 100_000 // steps of all patterns of a taxonomy
)

// maxParts is how many schemas a schema may hold, those that it refers to counted each time.
// Together with there being no way round in a circle this bounds what one value of a payload can
// cost: alternatives of alternatives double with every level.
const maxParts = 5_000

// wrong is what is wrong with a schema, and where.
type wrong struct {
	path        []string
	value, rule string
}

// schemas compiles the schemas of one taxonomy.
type schemas struct {
	steps int // of the patterns so far
}

// compile compiles a schema as decode returns it, and says what is wrong with it.
func (s *schemas) compile(action string, schema any) (*jsonschema.Schema, []wrong) {
	object, ok := schema.(map[string]any)
	if !ok || object["type"] != "object" {
		return nil, []wrong{{path: []string{"type"}, rule: `must be "object", since a payload is one`}}
	}
	found := s.inspect(nil, nil, schema)
	if len(found) == 0 {
		found = (&expansion{root: schema, parts: map[string]int{}}).check()
	}
	if len(found) > 0 {
		return nil, found
	}
	place := "fanfare://taxonomy/" + action
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(place, schema); err != nil {
		return nil, []wrong{{rule: notSchema}}
	}
	compiled, err := compiler.Compile(place)
	if err == nil {
		return compiled, nil
	}
	var refused *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	if errors.As(err, &refused) && errors.As(refused.Err, &invalid) {
		return nil, []wrong{broken(invalid)}
	}
	return nil, []wrong{{rule: notSchema}}
}

const notSchema = "must be a JSON Schema of draft 2020-12"

// inspect finds what the compiler would let pass, or not bear.
func (s *schemas) inspect(found []wrong, path []string, schema any) []wrong {
	object, _ := schema.(map[string]any) // true and false are schemas too, and other things for the compiler to refuse
	for _, keyword := range slices.Sorted(maps.Keys(object)) {
		value := object[keyword]
		text, _ := value.(string)
		here := append(slices.Clone(path), keyword)
		refuse := func(value, rule string) { found = append(found, wrong{here, value, rule}) }
		of, known := keywords[keyword]
		switch {
		case !known && !strings.HasPrefix(keyword, "x-"):
			refuse("", "is not a keyword of JSON Schema, draft 2020-12")
		case of == isUnsupported:
			refuse("", "must not be given")
		case of == isDialect && text != dialect:
			refuse(text, "must be "+dialect)
		case of == isReference && !strings.HasPrefix(text, definitions):
			refuse(text, "must be "+definitions+"<name>: a schema refers to parts of its own alone")
		case of == isPattern && text != "":
			if rule := s.pattern(text); rule != "" {
				refuse(text, rule)
			}
		case of == isSchema:
			found = s.inspect(found, here, value)
		case of == isSchemas:
			list, _ := value.([]any)
			for i, inner := range list {
				found = s.inspect(found, append(slices.Clone(here), strconv.Itoa(i)), inner)
			}
		case of == isNamed:
			named, _ := value.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(named)) {
				if rule := s.pattern(name); keyword == "patternProperties" && rule != "" {
					refuse(name, rule)
				}
				found = s.inspect(found, append(slices.Clone(here), name), named[name])
			}
		}
	}
	return found
}

// expansion counts what a schema holds once its references are followed.
type expansion struct {
	root  any
	parts map[string]int // by reference; underway while it is counted
}

const underway = -1

func (x *expansion) check() []wrong {
	n, bad := x.count(nil, x.root)
	if bad == nil && n > maxParts {
		bad = &wrong{
			rule: fmt.Sprintf("must hold at most %d schemas, those that it refers to counted each time", maxParts),
		}
	}
	if bad != nil {
		return []wrong{*bad}
	}
	return nil
}

func (x *expansion) count(path []string, schema any) (n int, bad *wrong) {
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
			more, found := x.follow(here, value.(string)) // inspected before
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
				continue // they count where they are referred to
			}
			named, _ := value.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(named)) {
				add(append(slices.Clone(here), name), named[name])
			}
		}
	}
	return n, bad
}

// follow counts what a reference leads to, once.
func (x *expansion) follow(path []string, reference string) (int, *wrong) {
	switch n, known := x.parts[reference]; {
	case n == underway:
		return 0, &wrong{path, reference, "must not lead back to itself"}
	case known:
		return n, nil
	}
	target, ok := x.definition(reference)
	if !ok {
		return 0, &wrong{path, reference, "is not there"}
	}
	x.parts[reference] = underway
	n, bad := x.count(path, target)
	x.parts[reference] = n
	return n, bad
}

// definitions is how a reference begins, which is a JSON pointer (RFC 6901) in the form of a URI's
// fragment.
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

// pattern returns the rule that a regular expression breaks, or "".
func (s *schemas) pattern(text string) (rule string) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return "must be a regular expression of Go's package regexp (RE2)"
	}
	n := steps(parsed)
	if s.steps += n; n > maxPattern || s.steps > maxPatterns {
		return fmt.Sprintf("must be a pattern of at most %d steps, and %d with all others", maxPattern, maxPatterns)
	}
	return ""
}

// steps returns about how long the program of an expression is, without making it.
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

// noLoader keeps schemas from being fetched from anywhere.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a schema refers to nothing outside itself")
}

// broken returns the deepest of what breaks the schema of schemas.
func broken(e *jsonschema.ValidationError) wrong {
	deepest := e
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 && (len(deepest.Causes) > 0 || len(e.InstanceLocation) > len(deepest.InstanceLocation)) {
			deepest = e
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(e)
	path, rule := deepest.InstanceLocation, notSchema
	if violations := leafViolations(nil, "JSON Schema", deepest); len(violations) > 0 {
		path, rule = violations[0].path, violations[0].rule
	}
	return wrong{path: path, rule: rule}
}

// canonical returns the JSON text of a schema that all ways of writing it share: the keys of
// objects sorted, numbers plain.
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

// requiredKeys returns what the schema requires of the payload itself, sorted.
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

// decode reads JSON with json.Number for numbers.
func decode(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}
