package taxonomy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

const none = "version: 1\nactions: {}\n"

// TestBuiltinsAreAlwaysRegistered strictly enforces a taxonomy that has only an application's
// action.
func TestBuiltinsAreAlwaysRegistered(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	wanted := parse(t, "version: 1\nactions:\n  a.b: {description: D, category: C}\n")
	added := apply(t, db, wanted, taxonomy.ApplyOptions{}).Added
	if err := taxonomy.SetMode(t.Context(), db.Pool, uuid.Nil, taxonomy.Strict); err != nil {
		t.Fatal(err)
	}
	envelopes := builtinEnvelopes()
	count := 0
	for _, a := range added {
		if !a.Builtin() {
			if a.Name != "a.b" {
				t.Errorf("%s is neither in the file nor built in", a.Name)
			}
			continue
		}
		count++
		e := envelopes[a.Name]
		record(t, db, e) // fails the test if the database refuses it
		if err := wanted.Check(taxonomy.Strict)(t.Context(), &e); err != nil {
			t.Errorf("%s: Check: %v", a.Name, err)
		}
	}
	if count != len(envelopes) {
		t.Errorf("got %d built-in actions, want %d", count, len(envelopes))
	}
	if got := apply(t, db, wanted, taxonomy.ApplyOptions{}); got.Len() != 0 {
		t.Errorf("applied again: got\n%s\nwant no changes", got)
	}
	changes := apply(t, db, parse(t, none), taxonomy.ApplyOptions{})
	if len(changes.Removed) != 1 || changes.Removed[0].Name != "a.b" {
		t.Errorf("an empty file: got\n%s\nwant only a.b removed", changes)
	}
}

// TestBuiltinsNeedNoTaxonomy records the built-in actions where no taxonomy has been applied, as
// those are that a later version of Fanfare adds.
func TestBuiltinsNeedNoTaxonomy(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var listed []string
	if err := db.Pool.QueryRow(t.Context(), `SELECT fanfare.builtin_actions()`).Scan(&listed); err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for _, a := range taxonomy.Builtins().Actions() {
		want = append(want, a.Name)
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("fanfare.builtin_actions (-want +got):\n%s", diff)
	}
	for _, mode := range []taxonomy.Mode{taxonomy.Off, taxonomy.Warn, taxonomy.Strict} {
		if _, err := db.Pool.Exec(t.Context(), `UPDATE fanfare.settings SET enforcement = $1`, mode); err != nil {
			t.Fatal(err)
		}
		for _, e := range builtinEnvelopes() {
			record(t, db, e)
		}
	}
	var recorded, warnings int
	if err := db.Pool.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE warning IS NOT NULL)
		FROM fanfare.activities`).Scan(&recorded, &warnings); err != nil {
		t.Fatal(err)
	}
	if recorded != 3*len(want) || warnings != 0 {
		t.Errorf("got %d activities and %d warnings, want %d and none", recorded, warnings, 3*len(want))
	}
	other := activity.Envelope{
		TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
		Action: "outbox.emptied",
	}
	err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
		_, err := outbox.Record(t.Context(), tx, other)
		return err
	})
	if invalidErr, ok := errors.AsType[*invalid.Error](err); !ok || invalidErr.Fields[0].Name != "action" {
		t.Errorf("%s: got %v, want the action refused", other.Action, err)
	}
}

// builtinEnvelopes returns an envelope of each built-in action, by the name of the action.
func builtinEnvelopes() map[string]activity.Envelope {
	tenant, id := uuid.New(), uuid.New()
	envelopes := map[string]activity.Envelope{}
	for _, payload := range []interface {
		On(tenant, resource uuid.UUID) activity.Envelope
	}{
		builtin.ActivityRedacted{Redacted: 1, Criteria: map[string]any{}},
		builtin.DaemonStarted{Version: "1", Command: "run"},
		builtin.DaemonStopping{Version: "1", Command: "run"},
		builtin.LogExported{Format: "csv", Activities: 1},
		builtin.NotificationTested{},
		builtin.OutboxReplayed{Count: 1},
		builtin.OutboxDiscarded{Count: 1},
		builtin.PreferencesChanged{Changed: []string{}, From: map[string]any{}, To: map[string]any{}},
		builtin.RetentionChanged{Changed: []string{}, From: map[string]any{}, To: map[string]any{}},
		builtin.RetentionPurged{Activities: 1, Partitions: []string{}, Policy: map[string]int{}},
		builtin.RetentionHoldPlaced{HoldID: id, Reason: "a lawsuit"},
		builtin.RetentionHoldReleased{HoldID: id, Reason: "a lawsuit"},
		builtin.SubscriptionCreated{SubscriptionID: id, Scope: "resource"},
		builtin.SubscriptionRevoked{SubscriptionID: id, Scope: "resource"},
		builtin.TaxonomyApplied{},
		builtin.TaxonomyEnforcementChanged{From: "off", To: "warn", Scope: "tenant"},
		builtin.TenantCleared{MoveID: id},
		builtin.TenantMoved{MoveID: id},
		builtin.TokenCreated{TokenID: id},
		builtin.TokenRevoked{TokenID: id},
	} {
		e := payload.On(tenant, id)
		e.ActorPrincipalID = activity.System
		envelopes[e.Action] = e
	}
	return envelopes
}

// TestFileWithBuiltin gives a built-in action every field that a file can have.
func TestFileWithBuiltin(t *testing.T) {
	t.Parallel()
	parsed := parse(t, `
version: 1
actions:
  token.created:
    description: A key was cut.
    category: security
    severity: critical
    visibility: tenant
    notify: mandatory
    title: Key cut
    summary: "{actor} cut the key {payload.token_id}"
    icon: house
    keep: [door]
    max_payload_bytes: 2
    payload: {type: object, required: [door], properties: {door: {type: string}}}
`)
	got, _ := parsed.Action("token.created")
	want, _ := taxonomy.Builtins().Action("token.created")
	want.Description, want.Category, want.Severity = "A key was cut.", "security", activity.Critical
	want.Notify = activity.NotifyMandatory
	want.Title, want.Summary, want.Icon = "Key cut", "{actor} cut the key {payload.token_id}", "house"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e := envelope("token.created", map[string]any{"token_id": uuid.NewString(), "door": "back"})
	if err := parsed.Check(taxonomy.Strict)(t.Context(), &e); err != nil || e.Severity != activity.Critical ||
		e.Visibility != activity.Private {
		t.Errorf("got %v and %+v", err, e)
	}

	_, err := taxonomy.Parse(strings.NewReader(`version: 1
actions:
  token.created: {description: D, category: C, keep: [door],
    title: '{payload.door}'}
`))
	const wantTitle = "line 4: token.created: title must not show {payload.door}, which keep drops"
	invalidErr, ok := errors.AsType[*taxonomy.InvalidError](err)
	if !ok || len(invalidErr.Diagnostics) != 1 || invalidErr.Diagnostics[0].Error() != wantTitle {
		t.Errorf("a title with a key that is not recorded: got %v, want %s", err, wantTitle)
	}
}
