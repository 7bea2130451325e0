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
    description: A signal was created.
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
    description: A signal was archived.
    category: research
    payload: *shape
  auth.logout:
    description: A user signed out.
    category: security
    keep: []
`)
	const schema = `{"$defs":{"time":{"format":"date-time","type":"string"}},` +
		`"properties":{"Big":{"enum":[1000,0.5,null,true,"<&>"],"maximum":1000,"minimum":-0.5,"multipleOf":16},` +
		`"at":{"$ref":"#/$defs/time"},` +
		`"signal_type":{"default":"2020-01-01","pattern":"^[a-z]+$","type":"string"}},` +
		`"required":["signal_type","at"],"type":"object"}`
	want := []taxonomy.Action{
		{
			Name: "auth.logout", Description: "A user signed out.", Category: "security",
			Severity: activity.Info, Visibility: activity.ResourceWide, Keep: []string{},
		},
		{
			Name: "signal.archived", Description: "A signal was archived.", Category: "research",
			Severity: activity.Info, Visibility: activity.ResourceWide,
			Schema: []byte(schema), Required: []string{"at", "signal_type"},
		},
		{
			Name: "signal.created", Description: "A signal was created.", Category: "research",
			Severity: activity.Warning, Visibility: activity.ScopeWide, Title: "Signal created",
			Summary: "{actor} created {resource} of {payload.signal_type}", Icon: "signal",
			Keep: []string{"Big", "at", "signal_type"}, MaxPayloadBytes: 4096,
			Schema: []byte(schema), Required: []string{"at", "signal_type"},
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
		t.Errorf("a caller changed the taxonomy: got %q", again.Required)
	}
	if _, ok := parsed.Action("signal.burnt"); ok {
		t.Error("signal.burnt: got an action, want none")
	}
}

const actionHead = `version: 1
actions:
  a.b:
    description: D
    category: C
`

// doubled returns a file with a schema in which each level refers to the previous level twice.
func doubled(levels int) string {
	file := actionHead + "    payload:\n      type: object\n      $defs:\n        x0: {type: string}\n"
	for i := range levels {
		file += fmt.Sprintf("        x%d: {anyOf: [{$ref: '#/$defs/x%d'}, {$ref: '#/$defs/x%[2]d'}]}\n", i+1, i)
	}
	return file + fmt.Sprintf("      properties: {a: {$ref: '#/$defs/x%d'}}\n", levels)
}

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	var keys strings.Builder
	for i := range 101 {
		fmt.Fprintf(&keys, "  - k%d\n", i)
	}
	nested := strings.Repeat("{not: ", 100) + "{}" + strings.Repeat("}", 100)
	cases := append(readCases(t, "testdata/diagnostics.txt"),
		textCase{
			"a large file", actionHead + "# " + strings.Repeat("x", taxonomy.MaxFileBytes),
			[]string{"the file must be at most 1048576 bytes"},
		},
		textCase{
			"many secret keys", "version: 1\nsecret_keys:\n" + keys.String() + "actions: {}\n",
			[]string{`line 2: secret_keys "101 keys" must be at most 100 keys`},
		},
		textCase{
			"nested alternatives", doubled(20),
			[]string{"line 6: a.b: payload must have at most 5000 subschemas after its references are resolved"},
		},
		textCase{
			"nested levels", actionHead + "    payload: {type: object, not: " + nested + "}\n",
			[]string{"line 6: a.b: the file must have at most 100000 values, 4194304 bytes of text and 64 levels," +
				" counted after its aliases are resolved"},
		},
	)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := taxonomy.Parse(strings.NewReader(c.input))
			invalidErr, ok := errors.AsType[*taxonomy.InvalidError](err)
			if !ok {
				t.Fatalf("got %v, want an *InvalidError", err)
			}
			got := make([]string, len(invalidErr.Diagnostics))
			for i, d := range invalidErr.Diagnostics {
				got[i] = d.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiagnosticsAreBounded(t *testing.T) {
	t.Parallel()
	file := actionHead
	for i := range 110 {
		file += fmt.Sprintf("  Bad.%d: {description: D, category: C}\n", i)
	}
	_, err := taxonomy.Parse(strings.NewReader(file))
	invalidErr, ok := errors.AsType[*taxonomy.InvalidError](err)
	if !ok || len(invalidErr.Diagnostics) != 100 || invalidErr.More != 10 ||
		!strings.HasSuffix(err.Error(), "\n  and 10 more") {
		t.Errorf("got %v, want 100 diagnostics and 10 more", err)
	}
}
