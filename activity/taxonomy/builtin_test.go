package taxonomy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

const none = "version: 1\nactions: {}\n"

// TestBuiltinsAreAlwaysRegistered holds everybody to a taxonomy that has nothing but an action of
// an application's.
func TestOwnActionsAreAlwaysRegistered(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	wanted := parse(t, "version: 1\nactions:\n  a.b: {description: D, category: C}\n")
	added := apply(t, db, wanted, taxonomy.ApplyOptions{}).Added
	if err := taxonomy.SetMode(t.Context(), db.Pool, uuid.Nil, taxonomy.Strict); err != nil {
		t.Fatal(err)
	}
	id := uuid.NewString()
	payloads := map[string]map[string]any{
		"activity.redacted": {"redacted": 1}, "daemon.started": {"version": "1"}, "daemon.stopping": {"version": "1"},
		"log.exported": {
			"format":     "csv",
			"activities": 1,
		}, "retention.changed": {"changed": []string{}}, "retention.purged": {"activities": 1},
		"retention.hold_placed": {"hold_id": id}, "retention.hold_released": {"hold_id": id},
		"subscription.created": {
			"subscription_id": id,
			"scope":           "resource",
		}, "subscription.revoked": {"subscription_id": id, "scope": "resource"},
		"taxonomy.applied": {}, "taxonomy.enforcement_changed": {"to": "warn"}, "token.created": {"token_id": id}, "token.revoked": {"token_id": id},
	}
	own := 0
	for _, a := range added {
		if !a.Builtin() {
			if a.Name != "a.b" {
				t.Errorf("%s is neither the file's nor Fanfare's", a.Name)
			}
			continue
		}
		own++
		record(
			t,
			db,
			activity.Envelope{Action: a.Name, Payload: payloads[a.Name]},
		) // which fails the test if it is refused
		e := envelope(a.Name, payloads[a.Name])
		if err := wanted.Check(taxonomy.Strict)(t.Context(), &e); err != nil {
			t.Errorf("in Go: %v", err)
		}
	}
	if own != len(payloads) {
		t.Errorf("got %d of Fanfare's own actions, want %d", own, len(payloads))
	}
	if got := apply(t, db, wanted, taxonomy.ApplyOptions{}); got.Len() != 0 {
		t.Errorf("applied again: got\n%s", got)
	}
	changes := apply(t, db, parse(t, none), taxonomy.ApplyOptions{})
	if len(changes.Removed) != 1 || changes.Removed[0].Name != "a.b" {
		t.Errorf("without anything: got\n%s\nwant a.b alone to go", changes)
	}
}

// TestFileWithBuiltin gives one of them everything that a file can.
func TestWhatAFileSaysOfOwnActions(t *testing.T) {
	t.Parallel()
	parsed := parse(t, `
version: 1
actions:
  token.created:
    description: Somebody got a key to the house.
    category: security
    severity: critical
    visibility: tenant
    title: Key cut
    summary: "{actor} cut the key {payload.token_id}"
    icon: house
    keep: [door]
    max_payload_bytes: 2
    payload: {type: object, required: [door], properties: {door: {type: string}}}
`)
	got, _ := parsed.Action("token.created")
	want, _ := taxonomy.Builtins().Action("token.created")
	want.Description, want.Category, want.Severity = "Somebody got a key to the house.", "security", activity.Critical
	want.Title, want.Summary, want.Icon = "Key cut", "{actor} cut the key {payload.token_id}", "house"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e := envelope("token.created", map[string]any{"token_id": uuid.NewString(), "door": "back"})
	if err := parsed.Check(taxonomy.Strict)(t.Context(), &e); err != nil || e.Severity != activity.Critical ||
		e.Visibility != activity.Private {
		t.Errorf("got %v and %+v", err, e)
	}

	_, err := taxonomy.Parse(
		strings.NewReader(
			"version: 1\nactions:\n  token.created: {description: D, category: C, keep: [door],\n    title: '{payload.door}'}\n",
		),
	)
	var invalid *taxonomy.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Diagnostics) != 1 ||
		invalid.Diagnostics[0].Error() != "line 4: token.created: title must not show {payload.door}, which keep drops" {
		t.Errorf("a title that shows what is not recorded: got %v", err)
	}
}
