package taxonomy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

const before = `
version: 1
actions:
  a.changed:
    description: Before
    category: C
    icon: old
    keep: [a, b]
    payload:
      type: object
      required: [a]
      properties: {a: {type: string, maximum: 10}, b: {enum: [1, 2]}}
  a.removed: {description: Removed, category: C}
  a.same: {description: Same, category: C, payload: {type: object, maxProperties: 1e1}}
`

const after = `
version: 1
actions:
  a.added: {description: New, category: C}
  a.changed:
    description: "After\nit"
    category: C
    severity: error
    notify: optional
    max_payload_bytes: 10
    keep: [b, a]
    payload:
      properties: {a: {type: string, maximum: 11}, b: {enum: [1]}, c: true}
      required: [a]
      type: object
  a.same: {description: Same, category: C, payload: {maxProperties: 10.0, type: object}}
`

func TestDiff(t *testing.T) {
	t.Parallel()
	from, to := parse(t, before), parse(t, after)
	changes := taxonomy.Diff(from, to)
	added, _ := to.Action("a.added")
	removed, _ := from.Action("a.removed")
	want := taxonomy.Changes{
		Added: []taxonomy.Action{added}, Removed: []taxonomy.Action{removed},
		Changed: []taxonomy.Change{{Action: "a.changed", Fields: []taxonomy.FieldChange{
			{"description", "Before", "After\nit"},
			{"severity", "info", "error"},
			{"notify", "", "optional"},
			{"icon", "old", ""},
			{"max_payload_bytes", "", "10"},
			{"payload.properties.a.maximum", "10", "11"},
			{"payload.properties.b.enum", "[1,2]", "[1]"},
			{"payload.properties.c", "", "true"},
		}}},
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	wantText := `+ a.added   New
~ a.changed
    description: Before → After\nit
    severity: info → error
    notify: (none) → optional
    icon: old → (none)
    max_payload_bytes: (none) → 10
    payload.properties.a.maximum: 10 → 11
    payload.properties.b.enum: [1,2] → [1]
    payload.properties.c: (none) → true
- a.removed   Removed
`
	if got := changes.String(); got != wantText {
		t.Errorf("text: got\n%s\nwant\n%s", got, wantText)
	}
	raw, err := json.Marshal(changes)
	if err != nil {
		t.Fatal(err)
	}
	var read taxonomy.Changes
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changes, read); diff != "" {
		t.Errorf("through JSON (-want +got):\n%s", diff)
	}
}

func TestDiffOfEqual(t *testing.T) {
	t.Parallel()
	changes := taxonomy.Diff(parse(t, after), parse(t, after))
	if changes.Len() != 0 || changes.String() != "" {
		t.Errorf("got %q, want no changes", changes)
	}
	if raw, err := json.Marshal(changes); err != nil || string(raw) != `{"added":[],"removed":[],"changed":[]}` {
		t.Errorf("JSON: got %s and %v", raw, err)
	}
	if got := taxonomy.Diff(nil, parse(t, after)).Len(); got != 3 {
		t.Errorf("from nil: got %d actions, want 3", got)
	}
	if got := taxonomy.Diff(parse(t, after), nil).Removed; len(got) != 3 {
		t.Errorf("to nil: got %d actions, want 3", len(got))
	}
}
