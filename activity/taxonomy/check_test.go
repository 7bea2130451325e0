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

func TestViolations(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 300)
	cases := append(readCases(t, "testdata/violations.txt"),
		textCase{
			"a nested payload",
			"schema: {type: array}\npayload: " + strings.Repeat("[", 64) + strings.Repeat("]", 64),
			[]string{"payload must nest at most 64 levels deep"},
		},
		textCase{
			"a long key", "schema: {additionalProperties: false}\npayload: {\"" + key + "\":1}",
			[]string{"payload.a." + key[:100] + " is not a key of x.y"},
		},
	)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			schema, payload, ok := strings.Cut(strings.TrimPrefix(c.input, "schema: "), "\npayload: ")
			if !ok {
				t.Fatalf("the case has no schema or no payload:\n%s", c.input)
			}
			parsed := parse(t, `
version: 1
actions:
  x.y:
    description: D
    category: C
    payload:
      type: object
      properties: {a: `+schema+`}
      $defs: {small: {maximum: 1}}
`)
			e := envelope("x.y", json.RawMessage(`{"a":`+payload+`}`))
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
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			if err != nil && strings.Contains(strings.ToLower(err.Error()), "secret") {
				t.Errorf("the error contains a value of the payload: %v", err)
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
