package taxonomy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

func parse(t testing.TB, text string) *taxonomy.Taxonomy {
	t.Helper()
	parsed, err := taxonomy.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestParse(t *testing.T) {
	t.Parallel()
	parsed := parse(t, `
version: 1
actions:
  signal.created:
    description: A signal was registered.
    category: research
    severity: warning
    visibility: scope
    title: "Signal created"
    summary: "{actor} created {resource} of {payload.signal_type}"
    icon: signal
    keep: [signal_type, at, Big]
    max_payload_bytes: 4096
    payload: &shape
      type: object
      required: [signal_type, at]
      properties:
        signal_type: {type: string, pattern: "^[a-z]+$", default: 2020-01-01}
        at: {$ref: "#/$defs/time"}
        Big: {minimum: -0.50, maximum: 1e3, multipleOf: 0x10, enum: [1_000, .5, null, true, "<&>"]}
      $defs:
        time: {type: string, format: date-time}
  signal.archived:
    description: A signal was put away.
    category: research
    payload: *shape
  auth.logout:
    description: Somebody signed out.
    category: security
    keep: []
`)
	const schema = `{"$defs":{"time":{"format":"date-time","type":"string"}},` +
		`"properties":{"Big":{"enum":[1000,0.5,null,true,"<&>"],"maximum":1000,"minimum":-0.5,"multipleOf":16},"at":{"$ref":"#/$defs/time"},` +
		`"signal_type":{"default":"2020-01-01","pattern":"^[a-z]+$","type":"string"}},"required":["signal_type","at"],"type":"object"}`
	want := []taxonomy.Action{
		{
			Name: "auth.logout", Description: "Somebody signed out.", Category: "security",
			Severity: activity.Info, Visibility: activity.ResourceWide, Keep: []string{},
		},
		{
			Name: "signal.archived", Description: "A signal was put away.", Category: "research",
			Severity: activity.Info, Visibility: activity.ResourceWide, Schema: []byte(schema), Required: []string{"at", "signal_type"},
		},
		{
			Name: "signal.created", Description: "A signal was registered.", Category: "research",
			Severity: activity.Warning, Visibility: activity.ScopeWide, Title: "Signal created",
			Summary: "{actor} created {resource} of {payload.signal_type}", Icon: "signal",
			Keep: []string{
				"Big",
				"at",
				"signal_type",
			}, MaxPayloadBytes: 4096, Schema: []byte(schema), Required: []string{"at", "signal_type"},
		},
	}
	if diff := cmp.Diff(want, parsed.Actions()); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	got, ok := parsed.Action("signal.archived")
	if diff := cmp.Diff(want[1], got); !ok || diff != "" {
		t.Errorf("signal.archived: got %v (-want +got):\n%s", ok, diff)
	}
	got.Required[0] = "mine"
	if again, _ := parsed.Action("signal.archived"); again.Required[0] != "at" {
		t.Errorf("what a caller does with an action changes the taxonomy: got %q", again.Required)
	}
	if _, ok := parsed.Action("signal.burnt"); ok {
		t.Error("signal.burnt: got an action, want none")
	}
}

// doubled returns a file whose schema says at every level the same in two ways.
func doubled(levels int) string {
	file := "version: 1\nactions:\n  a.b:\n    description: D\n    category: C\n    payload:\n      type: object\n      $defs:\n        x0: {type: string}\n"
	for i := range levels {
		file += fmt.Sprintf("        x%d: {anyOf: [{$ref: '#/$defs/x%d'}, {$ref: '#/$defs/x%[2]d'}]}\n", i+1, i)
	}
	return file + fmt.Sprintf("      properties: {a: {$ref: '#/$defs/x%d'}}\n", levels)
}

// TestMistakes has files and all that is said of them.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const head = "version: 1\nactions:\n  a.b:\n    description: D\n    category: C\n" // five lines
	manyActions := head
	for i := range 110 {
		manyActions += fmt.Sprintf("  Bad.%d: {description: D, category: C}\n", i)
	}
	const beyond = "the file must have at most 100000 values, 4194304 bytes of text and 64 levels, counted after its aliases are resolved"
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"an empty file":        {"", []string{"line 1: the file is empty"}},
		"only a comment":       {"# nothing\n", []string{"line 1: the file is empty"}},
		"not YAML":             {"version: 1\nactions: [\n", []string{"line 2: is not YAML: did not find expected node content"}},
		"a tab":                {"version: 1\nactions:\n\ta.b: {}\n", []string{"line 3: is not YAML: found character that cannot start any token"}},
		"an unknown alias":     {"version: *one\n", []string{"is not YAML: unknown anchor 'one' referenced"}},
		"a list":               {"[]", []string{`line 1: "a list" must be a mapping of keys to values`, "line 1: version is required", "line 1: actions is required"}},
		"nothing required":     {"{}", []string{"line 1: version is required", "line 1: actions is required"}},
		"another version":      {"version: 2\nactions: {}\n", []string{`line 1: version "2" must be 1`}},
		"a version that isn't": {"version: one\nactions: {}\n", []string{`line 1: version "one" must be an integer`}},
		"an unknown field":     {"version: 1\nactions: {}\naction: {}\n", []string{"line 3: action is not a field of a taxonomy; the fields are version, secret_keys and actions"}},
		"a field twice":        {"version: 1\nactions: {}\nversion: 1\n", []string{"line 3: version is a duplicate of line 1"}},
		"two documents":        {"version: 1\nactions: {}\n---\nversion: 1\n", []string{"line 3: the file must contain one document"}},
		"actions as a list":    {"version: 1\nactions: [a.b]\n", []string{`line 2: actions "a list" must be a mapping of keys to values`}},
		"too large":            {head + "# " + strings.Repeat("x", taxonomy.MaxFileBytes), []string{"the file must be at most 1048576 bytes"}},

		"an action twice": {head + "  a.b:\n    description: D\n    category: C\n", []string{"line 6: actions.a.b is a duplicate of line 3"}},
		"names of actions": {"version: 1\nactions:\n  Ab.c: &x {description: D, category: C}\n  abc: *x\n  a.b.: *x\n  1: *x\n", []string{
			"line 3: Ab.c: must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot",
			"line 4: abc: must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot",
			"line 5: a.b.: must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot",
			`line 6: actions "1" must be a text; quote a key that YAML reads as another type`,
		}},
		"an action of nothing": {"version: 1\nactions:\n  a.b:\n", []string{`line 3: a.b: "an empty value" must be a mapping of keys to values`}},
		"what is required":     {"version: 1\nactions:\n  a.b: {}\n", []string{"line 3: a.b: description is required", "line 3: a.b: category is required"}},
		"every field": {"version: 1\nactions:\n  a.b:\n    description: \" \"\n    category: 7\n    severity: loud\n    visibility: everyone\n" +
			"    title: \"{actor\"\n    summary: \"{who} did it\"\n    icon: \"\"\n    keep: [a, 1, \"\", a]\n    max_payload_bytes: 1\n    payload: 3\n    colour: red\n", []string{
			`line 4: a.b: description " " must be 1 to 2000 characters that are not all blank`,
			`line 5: a.b: category "7" must be a text`,
			`line 6: a.b: severity "loud" must be one of info, warning, error, critical`,
			`line 7: a.b: visibility "everyone" must be one of private, resource, scope, tenant`,
			`line 8: a.b: title is not a template: character 1: "{actor" must not contain an unpaired brace; write {{ or }} for a literal brace`,
			`line 9: a.b: summary is not a template: character 1: "{who}" must be {actor}, {resource}, {resource_type}, {action}, {status}, {severity} or {payload.<key>}`,
			`line 10: a.b: icon must be 1 to 100 characters that are not all blank`,
			`line 11: a.b: keep "1" must be a text`,
			`line 12: a.b: max_payload_bytes "1" must be 2 to 1048576`,
			`line 13: a.b: payload.type must be "object", since a payload is an object`,
			`line 14: a.b: colour is not a field of an action`,
		}},
		"a NUL": {"version: 1\nactions:\n  a.b: {description: \"a\\0\", category: C, keep: [\"a\\0\"], payload: {type: object, title: \"\\0\"}}\n", []string{
			"line 3: a.b: description must not contain a NUL character",
			"line 3: a.b: keep \"a\uFFFD\" must contain keys of 1 to 200 characters without NUL",
			"line 3: a.b: payload.title must not contain a NUL character",
		}},
		"keys to keep": {head + "    keep: [a, \"\", a]\n", []string{
			"line 6: a.b: keep must contain keys of 1 to 200 characters without NUL",
			`line 6: a.b: keep "a" must not be listed twice`,
		}},
		"secret keys": {"version: 1\nsecret_keys: [SSN, \"\", 1, ssn]\nactions: {}\n", []string{
			`line 2: secret_keys "1" must be a text`,
		}},
		"secret keys that are the same": {"version: 1\nsecret_keys: [SSN, \"\", ssn]\nactions: {}\n", []string{
			"line 2: secret_keys must contain keys of 1 to 200 characters without NUL",
			`line 2: secret_keys "ssn" must not be listed twice`,
		}},
		"too many secret keys": {"version: 1\nsecret_keys:\n" + func() (list string) {
			for i := range 101 {
				list += fmt.Sprintf("  - k%d\n", i)
			}
			return list
		}() + "actions: {}\n", []string{`line 2: secret_keys "101 keys" must be at most 100 keys`}},
		"keep against the rest": {head + "    keep: [b]\n    title: \"{payload.a.x} {payload.b}\"\n    payload:\n      type: object\n      required: [a, b]\n", []string{
			`line 6: a.b: keep must contain "a", which payload requires`,
			"line 7: a.b: title must not show {payload.a.x}, which keep drops",
		}},

		"a schema that is no object's": {head + "    payload: {type: array}\n", []string{`line 6: a.b: payload.type must be "object", since a payload is an object`}},
		"a schema that is true":        {head + "    payload: true\n", []string{`line 6: a.b: payload.type must be "object", since a payload is an object`}},
		"keywords": {head + `    payload:
      type: object
      requierd: [a]
      x-note: fine
      $id: https://example.com/
      definitions: {}
      properties:
        requierd: {nullable: true}
        a: {$ref: "https://example.com/schema"}
        b: {items: {$schema: "http://json-schema.org/draft-07/schema#"}}
        c: {anyOf: [{const: {$ref: 1, nullable: 2}}, {optional: true}]}
`, []string{
			"line 8: a.b: payload.requierd is not a keyword of JSON Schema, draft 2020-12",
			"line 10: a.b: payload.$id is not supported",
			"line 11: a.b: payload.definitions is not a keyword of JSON Schema, draft 2020-12",
			"line 13: a.b: payload.properties.requierd.nullable is not a keyword of JSON Schema, draft 2020-12",
			`line 14: a.b: payload.properties.a.$ref "https://example.com/schema" must be #/$defs/<name>: a schema refers only to its own definitions`,
			`line 15: a.b: payload.properties.b.items.$schema "http://json-schema.org/draft-07/schema#" must be https://json-schema.org/draft/2020-12/schema`,
			"line 16: a.b: payload.properties.c.anyOf.1.optional is not a keyword of JSON Schema, draft 2020-12",
		}},
		"a type that isn't": {head + "    payload:\n      type: object\n      properties:\n        a:\n          type: strong\n", []string{
			"line 10: a.b: payload.properties.a.type must be one of array, boolean, integer, null, number, object, string",
		}},
		"a bound that isn't": {head + "    payload:\n      type: object\n      properties:\n        a: {minLength: -1}\n", []string{
			"line 9: a.b: payload.properties.a.minLength must be at least 0",
		}},
		"required as a text": {head + "    payload:\n      type: object\n      required: a\n", []string{
			`line 8: a.b: payload.required must be an array`,
		}},
		"a reference to nothing": {head + "    payload:\n      type: object\n      properties: {a: {$ref: \"#/$defs/x\"}}\n", []string{
			`line 8: a.b: payload.properties.a.$ref "#/$defs/x" does not exist`,
		}},
		"an anchor": {head + "    payload:\n      type: object\n      properties: {a: {$ref: \"#x\"}, b: {$anchor: x}}\n", []string{
			`line 8: a.b: payload.properties.a.$ref "#x" must be #/$defs/<name>: a schema refers only to its own definitions`,
			`line 8: a.b: payload.properties.b.$anchor is not supported`,
		}},
		"a way round in a circle": {head + "    payload:\n      type: object\n      properties: {a: {$ref: \"#/$defs/x\"}}\n      $defs:\n        x: {items: {$ref: \"#/$defs/y\"}}\n        y: {not: {$ref: \"#/$defs/x\"}}\n", []string{
			`line 8: a.b: payload.properties.a.$ref.items.$ref.not.$ref "#/$defs/x" must not be recursive`,
		}},
		"a reference elsewhere": {head + "    payload:\n      type: object\n      properties: {a: {items: {$ref: \"#/properties/a\"}}}\n", []string{
			`line 8: a.b: payload.properties.a.items.$ref "#/properties/a" must be #/$defs/<name>: a schema refers only to its own definitions`,
		}},
		"alternatives of alternatives": {doubled(20), []string{
			"line 6: a.b: payload must have at most 5000 subschemas after its references are resolved",
		}},
		"patterns": {head + "    payload:\n      type: object\n      properties:\n        a: {pattern: \"(?=x)\"}\n        b: {pattern: \"((a{100}){100}){100}\"}\n        c: {patternProperties: {\"[\": {}}}\n        d: {pattern: \"(abc){400}\"}\n", []string{
			`line 9: a.b: payload.properties.a.pattern "(?=x)" must be a regular expression of Go's package regexp (RE2)`,
			`line 10: a.b: payload.properties.b.pattern "((a{100}){100}){100}" must be a regular expression of Go's package regexp (RE2)`,
			`line 11: a.b: payload.properties.c.patternProperties "[" must be a regular expression of Go's package regexp (RE2)`,
			`line 12: a.b: payload.properties.d.pattern "(abc){400}" must have at most 1000 steps, and all patterns together at most 100000`,
		}},
		"numbers": {head + "    payload:\n      type: object\n      maxProperties: .inf\n      properties: {a: {minimum: !!binary aGk=}}\n", []string{
			`line 8: a.b: payload.maxProperties ".inf" must be a number of JSON`,
			`line 9: a.b: payload.properties.a.minimum "aGk=" must be a value of JSON`,
		}},
		"a key of a schema twice": {head + "    payload:\n      type: object\n      type: object\n", []string{"line 8: a.b: payload.type is a duplicate of line 7"}},
		"levels":                  {head + "    payload: {type: object, not: " + strings.Repeat("{not: ", 100) + "{}" + strings.Repeat("}", 100) + "}\n", []string{"line 6: a.b: " + beyond}},
		"an alias within itself":  {head + "    payload: &x {type: object, not: *x}\n", []string{"line 6: a.b: " + beyond}},
		"aliases of aliases": {"version: 1\nactions:\n  a.b:\n    description: D\n    category: C\n    payload:\n      type: object\n      $defs:\n        a: &a [1,1,1,1,1,1,1,1,1,1]\n" +
			"        b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n        c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n        d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n        e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", []string{"line 9: a.b: " + beyond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := taxonomy.Parse(strings.NewReader(c.file))
			var invalid *taxonomy.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want mistakes", err)
			}
			got := make([]string, len(invalid.Diagnostics))
			for i, m := range invalid.Diagnostics {
				got[i] = m.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
	_, err := taxonomy.Parse(strings.NewReader(manyActions))
	var invalid *taxonomy.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Diagnostics) != 100 || invalid.More != 10 ||
		!strings.HasSuffix(err.Error(), "\n  and 10 more") {
		t.Errorf("110 diagnostics: got %v", err)
	}
}
