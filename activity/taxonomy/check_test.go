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

// envelope returns a valid envelope.
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

// parseAction returns a taxonomy with the action x.y, which has further fields.
func parseAction(t testing.TB, fields string) *taxonomy.Taxonomy {
	t.Helper()
	return parse(t, "version: 1\nactions:\n  x.y: {description: D, category: C, "+fields+"}\n")
}

// TestNumbersWithExponents checks thousands of numbers that are short in JSON and long as jsonb.
func TestNumbersWithExponents(t *testing.T) {
	t.Parallel()
	parsed := parseAction(t, "payload: {type: object, properties: {n: {items: {multipleOf: 7}}}}")
	e := envelope("x.y", json.RawMessage(`{"n":[1`+strings.Repeat(",1e131000", 5000)+`]}`))
	var invalidErr *invalid.Error
	if err := parsed.Check(taxonomy.Strict)(t.Context(), &e); !errors.As(err, &invalidErr) ||
		invalidErr.Fields[0].Name != "payload" {
		t.Errorf("got %v, want an error of the payload", err)
	}
}

// TestSizeIsMeasuredAfterRedaction checks a payload that is too large for any installation before
// its secret is redacted.
func TestSizeIsMeasuredAfterRedaction(t *testing.T) {
	t.Parallel()
	parsed := parse(t, `
version: 1
secret_keys: [dump]
actions:
  x.y: {description: D, category: C, payload: {type: object, required: [a]}}
`)
	check, long := parsed.Check(taxonomy.Strict), strings.Repeat("x", activity.MaxPayloadBytes)
	e := envelope("x.y", map[string]any{"a": 1, "dump": long})
	if err := check(t.Context(), &e); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	e = envelope("x.y", map[string]any{"dump": long})
	if err := check(t.Context(), &e); err == nil || !strings.Contains(err.Error(), "payload.a is required by x.y") {
		t.Errorf("got %v, want an error of the required key", err)
	}
	e = envelope("x.y", map[string]any{"a": 1, "dumped": long})
	if err := check(t.Context(), &e); err == nil || !strings.Contains(err.Error(), "must be at most 1048576 bytes") {
		t.Errorf("got %v, want an error of the size", err)
	}
}

func TestEveryViolationIsReported(t *testing.T) {
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
		t.Fatalf("got %v, want an *invalid.Error", err)
	}
	var got []string
	for _, f := range invalidErr.Fields[:5] {
		got = append(got, f.Error())
	}
	want := []string{
		"payload.a is required by x.y",
		"payload.b is required by x.y",
		`payload of 540 bytes must be at most 20 bytes`,
		`payload.k00 "number" must be a string`,
		`payload.k01 "number" must be a string`,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(invalidErr.Fields) > 25 {
		t.Errorf("got %d fields (-want +got):\n%s", len(invalidErr.Fields), diff)
	}
}

// TestCheckedPayloadIsStored checks a payload that is encoded differently each time.
func TestCheckedPayloadIsStored(t *testing.T) {
	t.Parallel()
	parsed := parseAction(t, "payload: {type: object, properties: {n: {maximum: 1}}}")
	e := envelope("x.y", &counter{})
	if err := parsed.Check(taxonomy.Strict)(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
	if raw, err := json.Marshal(e.Payload); err != nil || string(raw) != `{"n":1}` {
		t.Errorf("got %s and %v, want the checked payload", raw, err)
	}
}

// counter encodes the number of times that it was encoded.
type counter struct{ n int }

func (c *counter) MarshalJSON() ([]byte, error) {
	c.n++
	return fmt.Appendf(nil, `{"n":%d}`, c.n), nil
}

func TestEnvelopePrecedesDefaults(t *testing.T) {
	t.Parallel()
	parsed := parseAction(t, "severity: error, visibility: private")
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
		t.Error("an unknown mode accepts an unregistered action, want an error")
	}
}

func TestWarningsAreBounded(t *testing.T) {
	t.Parallel()
	parsed := parseAction(t, "payload: {type: object, required: [a]}")
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
