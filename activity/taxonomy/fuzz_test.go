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

// FuzzParse looks for files that Parse does not bear, and holds what it reads to what it promises.
func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/enforcement.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(text), before, after, "", "[]", "version: 1\nactions: {}\n---\n", "a: &a [*a]\n", "? {}\n: 1\n", "version: !!binary x\n", "%YAML 1.2\n---\n<<: {}\n",
		"version: 1\nactions:\n  a.b: {description: D, category: C, payload: {type: object, properties: {a: {pattern: 'a{1000}', $ref: '#/$defs/a'}}, $defs: {a: {$ref: '#'}}}}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		parsed, err := taxonomy.Parse(strings.NewReader(file))
		var invalidErr *taxonomy.InvalidError
		if err != nil {
			if !errors.As(err, &invalidErr) || len(invalidErr.Diagnostics) == 0 {
				t.Fatalf("got %v, want mistakes", err)
			}
			if !slices.IsSortedFunc(invalidErr.Diagnostics, func(a, b taxonomy.Diagnostic) int { return a.Line - b.Line }) {
				t.Errorf("the mistakes are not in the order of the file: %v", err)
			}
			return
		}
		if n := taxonomy.Diff(parsed, parsed).Len(); n > 0 {
			t.Errorf("it differs from itself in %d actions", n)
		}
		for _, a := range parsed.Actions() {
			e := activity.Envelope{
				TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "r",
				Action: a.Name, Severity: a.Severity, Visibility: a.Visibility, Category: a.Category,
			}
			if err := e.Validate(); err != nil {
				t.Errorf("an envelope with what %s says is refused: %v", a.Name, err)
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

// FuzzCheck looks for payloads that Check does not bear, or that it lets pass and yet breaks
// something.
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
			TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal", Action: action, Payload: json.RawMessage(payload),
		}
		own := given.Validate()
		lax, noted, held := given, given, given
		offErr, warnErr, strictErr := off(t.Context(), &lax), warn(t.Context(), &noted), strict(t.Context(), &held)
		var invalidErr *invalid.Error
		if strictErr != nil && !errors.As(strictErr, &invalidErr) {
			t.Errorf("strict: got %v, want an InvalidError", strictErr)
		}
		if own != nil {
			// A hook may let pass what the envelope's own rules refuse right after it.
			return
		}
		if offErr != nil || warnErr != nil {
			t.Errorf("off: %v; warn: %v; want both to pass", offErr, warnErr)
		}
		action2, registered := parsed.Action(action)
		if strictErr != nil {
			return
		}
		if !registered {
			t.Fatalf("strict lets %q pass", action)
		}
		if err := held.Validate(); err != nil {
			t.Errorf("what passed is refused: %v", err)
		}
		if held.Severity != action2.Severity || held.Visibility != action2.Visibility ||
			held.Category != action2.Category {
			t.Errorf("got %s, %s, %s; want the action's", held.Severity, held.Visibility, held.Category)
		}
		raw, err := json.Marshal(held.Payload)
		if err != nil {
			t.Fatal(err)
		}
		var kept map[string]json.RawMessage
		if err := json.Unmarshal(raw, &kept); err != nil {
			t.Fatal(err)
		}
		for key := range kept {
			if action2.Keep != nil && !slices.Contains(action2.Keep, key) {
				t.Errorf("%q is kept", key)
			}
		}
		for _, key := range action2.Required {
			if _, ok := kept[key]; !ok {
				t.Errorf("%q is missing, and it passed", key)
			}
		}
		again := held
		if err := strict(t.Context(), &again); err != nil {
			t.Errorf("what passed once does not pass again: %v", err)
		}
	})
}
