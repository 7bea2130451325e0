package taxonomy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestLive(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	watcher := taxonomy.NewWatcher(db.Pool, nil)
	one, other := uuid.New(), uuid.New()
	refusal := func(tenant uuid.UUID) string {
		t.Helper()
		e := envelope("a.b", map[string]any{"iban": "DE02"})
		e.TenantID = tenant
		switch err := watcher.Check(t.Context(), &e); {
		case err != nil:
			return err.Error()
		case e.Category != "":
			return "filled"
		}
		return ""
	}
	step := func(what string, change func() error, wantOne, wantOther string) {
		t.Helper()
		if err := errors.Join(change(), watcher.Refresh(t.Context())); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{wantOne, wantOther}, []string{refusal(one), refusal(other)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	set := func(tenant uuid.UUID, mode taxonomy.Mode) func() error {
		return func() error { return taxonomy.SetMode(t.Context(), db.Pool, tenant, mode) }
	}
	put := func(text string) func() error {
		return func() error {
			_, err := taxonomy.Apply(t.Context(), db.Pool, parse(t, text), taxonomy.ApplyOptions{Force: true})
			return err
		}
	}
	if watcher.Taxonomy() != nil || refusal(one) != "" {
		t.Error("before it was read there is a taxonomy, or something is refused")
	}
	const unknown, lacking = `envelope refused: action "a.b" is not registered in the taxonomy`, `envelope refused: payload.name is required by a.b`
	step("of nobody", func() error { return nil }, "", "")
	step("one is held to it", set(one, taxonomy.Strict), unknown, "")
	step("all are", set(uuid.Nil, taxonomy.Strict), unknown, unknown)
	step("the action came", put("version: 1\nactions:\n  a.b: {description: D, category: C}\n"), "filled", "filled")
	step(
		"and a rule",
		put("version: 1\nactions:\n  a.b: {description: D, category: C, payload: {type: object, required: [name]}}\n"),
		lacking,
		lacking,
	)
	step("one is warnings", set(one, taxonomy.Warn), "filled", lacking)
	step("the rule went", put("version: 1\nactions:\n  a.b: {description: D, category: C}\n"), "filled", "filled")
	step("one is as all", func() error { return taxonomy.ClearMode(t.Context(), db.Pool, one) }, "filled", "filled")
	if diff := cmp.Diff(map[string]uint64{"a.b": 1}, watcher.Warnings()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	step(
		"a key is secret",
		put(
			"version: 1\nsecret_keys: [iban]\nactions:\n  a.b: {description: D, category: C, payload: {type: object, properties: {iban: {type: integer}}}}\n",
		),
		`envelope refused: payload.iban "string" must be an integer`,
		`envelope refused: payload.iban "string" must be an integer`,
	)

	same := watcher.Taxonomy()
	if err := watcher.Refresh(t.Context()); err != nil || watcher.Taxonomy() != same {
		t.Errorf("nothing changed: got %v, and that it was read anew: %t", err, watcher.Taxonomy() != same)
	}
	if _, err := db.Pool.Exec(t.Context(), `UPDATE fanfare.taxonomy SET title = '{who}' WHERE action = 'a.b'`); err != nil {
		t.Fatal(err)
	}
	if err := watcher.Refresh(t.Context()); err == nil || watcher.Taxonomy() != same {
		t.Errorf("what cannot be: got %v, want an error and what was", err)
	}
}

// absent is a database that is away, and counts who asks.
type absent struct{ asked int }

func (a *absent) Query(context.Context, string, ...any) (pgx.Rows, error) {
	a.asked++
	return nil, errors.New("away")
}

func TestLiveWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 30500*time.Millisecond)
		defer stop()
		var told []string
		db := &absent{}
		watcher := taxonomy.NewWatcher(db, func(err error) { told = append(told, err.Error()) })
		if err := watcher.Run(ctx); err != nil {
			t.Errorf("got %v, want it to end with the context", err)
		}
		if db.asked != 31 || len(told) != 1 || !strings.Contains(told[0], "away") {
			t.Errorf("asked %d times and told %q, want every second, and once", db.asked, told)
		}
		e := activity.Envelope{Action: "a.b"}
		if err := watcher.Check(ctx, &e); err != nil {
			t.Errorf("got %v, want it to pass", err)
		}
	})
}
