package taxonomy_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/template"
)

// FuzzParse checks that Parse does not panic, and that its result keeps its invariants.
func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/enforcement.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(text), before, after, "", "[]", "version: 1\nactions: {}\n---\n", "a: &a [*a]\n", "? {}\n: 1\n",
		"version: !!binary x\n", "%YAML 1.2\n---\n<<: {}\n",
		`version: 1
actions:
  a.b:
    description: D
    category: C
    payload:
      type: object
      properties: {a: {pattern: 'a{1000}', $ref: '#/$defs/a'}}
      $defs: {a: {$ref: '#'}}
`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		parsed, err := taxonomy.Parse(strings.NewReader(file))
		var invalidErr *taxonomy.InvalidError
		if err != nil {
			if !errors.As(err, &invalidErr) || len(invalidErr.Diagnostics) == 0 {
				t.Fatalf("got %v, want an *InvalidError", err)
			}
			byLine := func(a, b taxonomy.Diagnostic) int { return a.Line - b.Line }
			if !slices.IsSortedFunc(invalidErr.Diagnostics, byLine) {
				t.Errorf("the diagnostics are not in the order of the file: %v", err)
			}
			return
		}
		if n := taxonomy.Diff(parsed, parsed).Len(); n > 0 {
			t.Errorf("got %d differences from itself, want none", n)
		}
		for _, a := range parsed.Actions() {
			e := activity.Envelope{
				TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "r",
				Action: a.Name, Severity: a.Severity, Visibility: a.Visibility, Category: a.Category,
			}
			if err := e.Validate(); err != nil {
				t.Errorf("%s: an envelope with its defaults: %v", a.Name, err)
			}
			for _, phrase := range []string{a.Title, a.Summary} {
				if _, err := template.Parse(phrase); err != nil {
					t.Errorf("%s: %v", a.Name, err)
				}
			}
			if a.Schema != nil && !json.Valid(a.Schema) {
				t.Errorf("%s: the schema is not JSON: %s", a.Name, a.Schema)
			}
			if !slices.IsSorted(a.Keep) || !slices.IsSorted(a.Required) {
				t.Errorf("%s: got %q and %q, want them sorted", a.Name, a.Keep, a.Required)
			}
		}
	})
}

// FuzzCheck checks that Check does not panic, and that an accepted envelope is valid, has the
// action's defaults and keys, and is accepted again.
func FuzzCheck(f *testing.F) {
	parsed, cases := readEnforcementCases(f)
	for _, c := range cases {
		f.Add(c.Envelope.Action, []byte(c.Envelope.Payload))
	}
	f.Add(
		"signal.created",
		[]byte(`{"signal_type":"value","name":"S7","score":1e999999999,"legs":[{"quantity":1e-999999999}]}`),
	)
	f.Add("signal.created", []byte(`{"signal_type":"value","name":"\u0000\ud800","name":"\xff"}`))
	f.Add("auth.login", []byte(strings.Repeat(`{"method":`, 1000)+"1"+strings.Repeat("}", 1000)))
	off, warn, strict := parsed.Check(taxonomy.Off), parsed.Check(taxonomy.Warn), parsed.Check(taxonomy.Strict)
	f.Fuzz(func(t *testing.T, action string, payload []byte) {
		given := activity.Envelope{
			TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
			Action: action, Payload: json.RawMessage(payload),
		}
		givenErr := given.Validate()
		unchecked, warned, checked := given, given, given
		offErr, warnErr := off(t.Context(), &unchecked), warn(t.Context(), &warned)
		strictErr := strict(t.Context(), &checked)
		var invalidErr *invalid.Error
		if strictErr != nil && !errors.As(strictErr, &invalidErr) {
			t.Errorf("strict: got %v, want an *invalid.Error", strictErr)
		}
		if givenErr != nil {
			return // a hook may accept an envelope that recording refuses after the hooks
		}
		if offErr != nil || warnErr != nil {
			t.Errorf("off: %v; warn: %v; want no errors", offErr, warnErr)
		}
		registered, ok := parsed.Action(action)
		if strictErr != nil {
			return
		}
		if !ok {
			t.Fatalf("strict accepts %q, want an error", action)
		}
		if err := checked.Validate(); err != nil {
			t.Errorf("the accepted envelope is invalid: %v", err)
		}
		if checked.Severity != registered.Severity || checked.Visibility != registered.Visibility ||
			checked.Category != registered.Category {
			t.Errorf("got %s, %s, %s; want those of the action", checked.Severity, checked.Visibility, checked.Category)
		}
		raw, err := json.Marshal(checked.Payload)
		if err != nil {
			t.Fatal(err)
		}
		var kept map[string]json.RawMessage
		if err := json.Unmarshal(raw, &kept); err != nil {
			t.Fatal(err)
		}
		for key := range kept {
			if registered.Keep != nil && !slices.Contains(registered.Keep, key) {
				t.Errorf("the key %q is stored, want it dropped", key)
			}
		}
		for _, key := range registered.Required {
			if _, ok := kept[key]; !ok {
				t.Errorf("the required key %q is absent, want an error", key)
			}
		}
		again := checked
		if err := strict(t.Context(), &again); err != nil {
			t.Errorf("the accepted envelope is refused the second time: %v", err)
		}
	})
}
