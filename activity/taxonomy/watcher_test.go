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

func TestWatcher(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	watcher := taxonomy.NewWatcher(db.Pool, taxonomy.WatcherOptions{})
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
		t.Error("before the first poll: got a taxonomy or an error, want neither")
	}
	const (
		unknown = `envelope refused: action "a.b" is not registered in the taxonomy`
		lacking = `envelope refused: payload.name is required by a.b`
	)
	step("no taxonomy", func() error { return nil }, "", "")
	step("Strict for one tenant", set(one, taxonomy.Strict), unknown, "")
	step("Strict for all tenants", set(uuid.Nil, taxonomy.Strict), unknown, unknown)
	step("an action is added", put("version: 1\nactions:\n  a.b: {description: D, category: C}\n"), "filled", "filled")
	step(
		"a rule is added",
		put("version: 1\nactions:\n  a.b: {description: D, category: C, payload: {type: object, required: [name]}}\n"),
		lacking,
		lacking,
	)
	step("Warn for one tenant", set(one, taxonomy.Warn), "filled", lacking)
	step("the rule is removed", put("version: 1\nactions:\n  a.b: {description: D, category: C}\n"), "filled", "filled")
	unset := func() error { return taxonomy.ClearMode(t.Context(), db.Pool, one) }
	step("the mode of one tenant is cleared", unset, "filled", "filled")
	if diff := cmp.Diff(map[string]uint64{"a.b": 1}, watcher.Warnings()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	step(
		"a secret key is added",
		put(`version: 1
secret_keys: [iban]
actions:
  a.b: {description: D, category: C, payload: {type: object, properties: {iban: {type: integer}}}}
`),
		`envelope refused: payload.iban "string" must be an integer`,
		`envelope refused: payload.iban "string" must be an integer`,
	)

	same := watcher.Taxonomy()
	if err := watcher.Refresh(t.Context()); err != nil || watcher.Taxonomy() != same {
		t.Errorf("without changes: got %v and read again %t, want neither", err, watcher.Taxonomy() != same)
	}
	const invalidTitle = `UPDATE fanfare.taxonomy SET title = '{who}' WHERE action = 'a.b'`
	if _, err := db.Pool.Exec(t.Context(), invalidTitle); err != nil {
		t.Fatal(err)
	}
	if err := watcher.Refresh(t.Context()); err == nil || watcher.Taxonomy() != same {
		t.Errorf("an invalid taxonomy: got %v, want an error and the previous taxonomy", err)
	}
}

// TestWatcherReportsChanges counts the calls of OnChange, including those of an invalid taxonomy.
func TestWatcherReportsChanges(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var calls [][]string
	watcher := taxonomy.NewWatcher(db.Pool, taxonomy.WatcherOptions{OnChange: func(actions []taxonomy.Action) {
		var titles []string
		for _, a := range actions {
			if !a.Builtin() {
				titles = append(titles, a.Title)
			}
		}
		calls = append(calls, titles)
	}})
	refresh := func(want ...[]string) (err error) {
		t.Helper()
		calls = nil
		err = watcher.Refresh(t.Context())
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("calls of OnChange (-want +got):\n%s", diff)
		}
		return err
	}
	retitle := func(title string) {
		t.Helper()
		const statement = `UPDATE fanfare.taxonomy SET title = $1 WHERE action = 'a.b'`
		if _, err := db.Pool.Exec(t.Context(), statement, title); err != nil {
			t.Fatal(err)
		}
	}
	if err := refresh(nil); err != nil {
		t.Errorf("without a taxonomy: got %v, want no error", err)
	}
	apply(t, db, parse(t, "version: 1\nactions:\n  a.b: {description: D, category: C, title: T}\n"),
		taxonomy.ApplyOptions{})
	if err := errors.Join(refresh([]string{"T"}), refresh()); err != nil {
		t.Errorf("a taxonomy: got %v, want no error", err)
	}
	retitle("{who}")
	valid := watcher.Taxonomy()
	first, second := refresh([]string{"{who}"}), refresh()
	for _, err := range []error{first, second} {
		if !errors.As(err, new(*taxonomy.InvalidError)) || watcher.Taxonomy() != valid {
			t.Errorf("an invalid taxonomy: got %v, want an *InvalidError and the last valid taxonomy", err)
		}
	}
	retitle("U")
	if err := refresh([]string{"U"}); err != nil || watcher.Taxonomy() == valid {
		t.Errorf("a valid taxonomy again: got %v, want no error and the taxonomy", err)
	}
}

// unavailable is a database that refuses queries and counts them.
type unavailable struct{ queries int }

func (u *unavailable) Query(context.Context, string, ...any) (pgx.Rows, error) {
	u.queries++
	return nil, errors.New("unavailable")
}

func TestWatcherWhileTheDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 30500*time.Millisecond)
		defer stop()
		var reports []string
		db := &unavailable{}
		watcher := taxonomy.NewWatcher(db, taxonomy.WatcherOptions{
			Report: func(err error) { reports = append(reports, err.Error()) },
		})
		select {
		case <-watcher.Ready():
			t.Error("ready before Run")
		default:
		}
		if err := watcher.Run(ctx); err != nil {
			t.Errorf("got %v, want nil", err)
		}
		<-watcher.Ready()
		if db.queries != 31 || len(reports) != 1 || !strings.Contains(reports[0], "unavailable") {
			t.Errorf("got %d polls and the reports %q, want a poll each second and one report", db.queries, reports)
		}
		e := activity.Envelope{Action: "a.b"}
		if err := watcher.Check(ctx, &e); err != nil {
			t.Errorf("got %v, want the envelope accepted", err)
		}
	})
}
