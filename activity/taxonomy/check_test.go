package taxonomy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/activitytest"
)

// envelope returns a sound one.
func envelope(action string, payload any) activity.Envelope {
	e := activitytest.NewEnvelope()
	e.Action, e.Payload = action, payload
	return e
}

// TestWhatIsSaidOfAPayload has a schema's parts, payloads and what is said of them.
func TestWhatIsSaidOfAPayload(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema  string // of the key "a", in YAML
		payload string // its value, in JSON
		want    []string
	}{
		"a kind":               {"{type: ['null', string, array]}", `1`, []string{`payload.a "number" must be a string or an array or null`}},
		"kinds":                {"{type: array, items: {type: object, additionalProperties: {type: boolean}}}", `[{"b": 1}, "x", {"c": true}]`, []string{`payload.a.0.b "number" must be a boolean`, `payload.a.1 "string" must be an object`}},
		"an integer":           {"{type: integer}", `1.5`, []string{`payload.a "number" must be an integer`}},
		"a list of values":     {"{enum: [x, 1, null, {y: true}]}", `"secret"`, []string{`payload.a must be one of x, 1, null, {"y":true}`}},
		"one value":            {"{const: x}", `"secret"`, []string{`payload.a must be x`}},
		"a pattern":            {"{pattern: '^[a-z]+$'}", `"SECRET"`, []string{`payload.a must match ^[a-z]+$`}},
		"formats":              {"{anyOf: [{format: uuid}], format: date-time}", `"secret"`, []string{`payload.a must have the format date-time`}},
		"a bound below":        {"{minimum: 0.25}", `-1`, []string{`payload.a must be at least 0.25`}},
		"a bound above":        {"{maximum: 100}", `1e300`, []string{`payload.a must be at most 100`}},
		"bounds to stay off":   {"{exclusiveMinimum: 1, exclusiveMaximum: 1}", `1`, []string{`payload.a must be above 1`, `payload.a must be below 1`}},
		"multiples":            {"{multipleOf: 0.1}", `0.25`, []string{`payload.a must be a multiple of 0.1`}},
		"lengths":              {"{minLength: 3}", `"ab"`, []string{`payload.a must be at least 3 characters`}},
		"a length in runes":    {"{maxLength: 3}", `"äöüß"`, []string{`payload.a must be at most 3 characters`}},
		"a list too short":     {"{minItems: 1}", `[]`, []string{`payload.a must have at least 1 items`}},
		"a list too long":      {"{maxItems: 1}", `[1,2]`, []string{`payload.a must have at most 1 items`}},
		"an item twice":        {"{uniqueItems: true}", `[1,1.0]`, []string{`payload.a must not have an item twice`}},
		"too few keys":         {"{minProperties: 1}", `{}`, []string{`payload.a must have at least 1 keys`}},
		"too many keys":        {"{maxProperties: 1}", `{"b":1,"c":2}`, []string{`payload.a must have at most 1 keys`}},
		"required deeper":      {"{required: [b, c]}", `{}`, []string{`payload.a.b is required by x.y`, `payload.a.c is required by x.y`}},
		"required beside":      {"{dependentRequired: {b: [c]}}", `{"b":1}`, []string{`payload.a.c is required together with b`}},
		"an unknown key":       {"{additionalProperties: false}", `{"b":1,"c":2}`, []string{`payload.a.b is not a key of x.y`, `payload.a.c is not a key of x.y`}},
		"an unevaluated key":   {"{allOf: [{properties: {b: true}}], unevaluatedProperties: false}", `{"b":1,"c":2}`, []string{`payload.a.c is not allowed by x.y`}},
		"a name":               {"{propertyNames: {maxLength: 1}}", `{"bb":1}`, []string{`payload.a.bb is not a key that x.y allows`}},
		"what must not be":     {"false", `1`, []string{`payload.a is not allowed by x.y`}},
		"alternatives":         {"{anyOf: [{type: string}, {type: boolean}]}", `1`, []string{`payload.a must match one of the alternatives of x.y`}},
		"one alternative only": {"{oneOf: [true, true]}", `1`, []string{`payload.a must match one of the alternatives of x.y`}},
		"all":                  {"{allOf: [{type: string}, {type: boolean}]}", `1`, []string{`payload.a "number" must be a boolean`, `payload.a "number" must be a string`}},
		"not":                  {"{not: {type: number}}", `1`, []string{`payload.a must not be a value that x.y excludes`}},
		"contains":             {"{contains: {const: 1}}", `[2]`, []string{`payload.a must satisfy "contains" of x.y`}},
		"a condition":          {"{if: {type: number}, then: {maximum: 1}}", `2`, []string{`payload.a must be at most 1`}},
		"a reference":          {"{$ref: '#/$defs/small'}", `2`, []string{`payload.a must be at most 1`}},
		"a number beyond":      {"{type: number}", `1e999999`, []string{`payload must not contain a number beyond PostgreSQL's numeric`}},
		"a level too deep":     {"{type: array}", strings.Repeat("[", 64) + strings.Repeat("]", 64), []string{`payload must nest at most 64 levels deep`}},
		"a NUL":                {"{type: string}", `"\u0000"`, nil}, // Validate's, and it says so when it encodes
		"a long key":           {"{additionalProperties: false}", `{"` + strings.Repeat("k", 300) + `":1}`, []string{`payload.a.` + strings.Repeat("k", 100) + ` is not a key of x.y`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed := parse(
				t,
				"version: 1\nactions:\n  x.y:\n    description: D\n    category: C\n    payload:\n      type: object\n      properties:\n        a: "+c.schema+"\n      $defs: {small: {maximum: 1}}\n",
			)
			e := envelope("x.y", json.RawMessage(`{"a":`+c.payload+`}`))
			err := parsed.Check(taxonomy.Strict)(t.Context(), &e)
			var got []string
			if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
				for _, f := range invalidErr.Fields {
					got = append(got, f.Error())
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "SECRET")) {
				t.Errorf("what the payload holds is repeated: %v", err)
			}
		})
	}
}

// TestLongInWriting gives numbers that are short until they are written out, by the thousand.
func TestLongInWriting(t *testing.T) {
	t.Parallel()
	parsed := parse(
		t,
		"version: 1\nactions:\n  x.y: {description: D, category: C, payload: {type: object, properties: {n: {items: {multipleOf: 7}}}}}\n",
	)
	e := envelope("x.y", json.RawMessage(`{"n":[1`+strings.Repeat(",1e131000", 5000)+`]}`))
	var invalidErr *invalid.Error
	if err := parsed.Check(taxonomy.Strict)(t.Context(), &e); !errors.As(err, &invalidErr) ||
		invalidErr.Fields[0].Name != "payload" {
		t.Errorf("got %v, want the payload refused", err)
	}
}

// TestTheSizeIsTakenWithoutSecrets gives a payload that is too large for any installation, and
// small without its secret.
func TestTheSizeIsTakenWithoutSecrets(t *testing.T) {
	t.Parallel()
	parsed := parse(
		t,
		"version: 1\nsecret_keys: [dump]\nactions:\n  x.y: {description: D, category: C, payload: {type: object, required: [a]}}\n",
	)
	check, long := parsed.Check(taxonomy.Strict), strings.Repeat("x", activity.MaxPayloadBytes)
	e := envelope("x.y", map[string]any{"a": 1, "dump": long})
	if err := check(t.Context(), &e); err != nil {
		t.Errorf("got %v, want it to pass", err)
	}
	e = envelope("x.y", map[string]any{"dump": long})
	if err := check(t.Context(), &e); err == nil || !strings.Contains(err.Error(), "payload.a is required by x.y") {
		t.Errorf("got %v, want the missing key", err)
	}
	e = envelope("x.y", map[string]any{"a": 1, "dumped": long})
	if err := check(t.Context(), &e); err == nil || !strings.Contains(err.Error(), "must be at most 1048576 bytes") {
		t.Errorf("got %v, want it too large", err)
	}
}

func TestEveryBreachIsTold(t *testing.T) {
	t.Parallel()
	parsed := parse(t, `
version: 1
actions:
  x.y:
    description: D
    category: C
    max_payload_bytes: 20
    payload:
      type: object
      required: [b, a]
      additionalProperties: {type: string}
`)
	payload := map[string]int{}
	for i := range 50 {
		payload[fmt.Sprintf("k%02d", i)] = i
	}
	e := envelope("x.y", payload)
	err := parsed.Check(taxonomy.Strict)(t.Context(), &e)
	var invalidErr *invalid.Error
	if !errors.As(err, &invalidErr) {
		t.Fatalf("got %v, want a refusal", err)
	}
	var got []string
	for _, f := range invalidErr.Fields[:5] {
		got = append(got, f.Error())
	}
	want := []string{
		"payload.a is required by x.y", "payload.b is required by x.y", `payload "540 bytes" must be at most 20 bytes`,
		`payload.k00 "number" must be a string`, `payload.k01 "number" must be a string`,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(invalidErr.Fields) > 25 {
		t.Errorf("got %d fields (-want +got):\n%s", len(invalidErr.Fields), diff)
	}
}

// TestWhatIsCheckedIsWhatIsStored gives a payload whose encoding changes with every look at it.
func TestWhatIsCheckedIsWhatIsStored(t *testing.T) {
	t.Parallel()
	parsed := parse(
		t,
		"version: 1\nactions:\n  x.y: {description: D, category: C, payload: {type: object, properties: {n: {maximum: 1}}}}\n",
	)
	e := envelope("x.y", &fickle{})
	if err := parsed.Check(taxonomy.Strict)(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
	if raw, err := json.Marshal(e.Payload); err != nil || string(raw) != `{"n":1}` {
		t.Errorf("got %s and %v, want what was checked", raw, err)
	}
}

type fickle struct{ looks int }

func (f *fickle) MarshalJSON() ([]byte, error) {
	f.looks++
	return fmt.Appendf(nil, `{"n":%d}`, f.looks), nil
}

func TestWhatAnEnvelopeGivesStays(t *testing.T) {
	t.Parallel()
	parsed := parse(
		t,
		"version: 1\nactions:\n  x.y: {description: D, category: C, severity: error, visibility: private}\n",
	)
	for _, mode := range append(modes, "") {
		e := envelope("x.y", nil)
		e.Severity, e.Category = activity.Info, "mine"
		if err := parsed.Check(mode)(t.Context(), &e); err != nil {
			t.Fatal(err)
		}
		if e.Severity != activity.Info || e.Category != "mine" || e.Visibility != activity.Private || e.Payload != nil {
			t.Errorf("%q: got %+v", mode, e)
		}
	}
	e := envelope("x.z", nil)
	if err := parsed.Check("loud")(t.Context(), &e); err == nil {
		t.Error("an unknown mode lets an unregistered action pass, want it strict")
	}
}

func TestWarningsAreBounded(t *testing.T) {
	t.Parallel()
	parsed := parse(
		t,
		"version: 1\nactions:\n  x.y: {description: D, category: C, payload: {type: object, required: [a]}}\n",
	)
	check := parsed.Check(taxonomy.Warn)
	const writers, each = 8, 300
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				unknown, known := envelope(fmt.Sprintf("w%d.n%d", w, i), nil), envelope("x.y", nil)
				if err := errors.Join(check(t.Context(), &unknown), check(t.Context(), &known)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	warnings := parsed.Warnings()
	var unknown uint64
	for name, n := range warnings {
		if name != "x.y" {
			unknown += n
		}
	}
	if warnings["x.y"] != writers*each || unknown != writers*each {
		t.Errorf("got %d and %d, want %d of each", warnings["x.y"], unknown, writers*each)
	}
	if want := taxonomy.MaxUnknown + 2; len(warnings) != want ||
		warnings[taxonomy.OtherActions] != writers*each-taxonomy.MaxUnknown {
		t.Errorf("got %d names, %d of them others; want %d", len(warnings), warnings[taxonomy.OtherActions], want)
	}
}
