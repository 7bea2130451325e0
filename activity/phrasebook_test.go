package activity_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

const taught = `
INSERT INTO fanfare.taxonomy (action, description, category, title, summary, icon) VALUES
    ('signal.created', 'A signal was created.', 'research', 'New {payload.kind} signal', '{actor} created {resource}', 'wave'),
    ('signal.renamed', 'A signal was renamed.', 'research', '', '', ''),
    ('signal.scored',  'A signal was scored.',  'research', '{payload.kind}', '{payload.kind}', '')`

func signal(action string) activity.Activity {
	return activity.Activity{
		ID: uuid.Max, TenantID: tenant, ActorPrincipalID: actor, ResourceID: resource, ResourceType: "signal", ResourceName: "Momentum 12", Action: action,
		Category: "signal", Severity: activity.Info, Payload: json.RawMessage(`{"kind":"trend"}`),
	}
}

func TestPhrasebook(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	exec := func(sql string) {
		t.Helper()
		if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	book := activity.NewPhrasebook(db.Pool, nil)
	refresh := func() {
		t.Helper()
		if err := book.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	said := func(a activity.Activity, name string) activity.UIHints { return book.Event(&a, "user", name).UIHints }
	plain := func(a activity.Activity) activity.UIHints { return activity.NewEvent(&a, "user", "Ada").UIHints }
	same := func(what string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	created := signal("signal.created")

	same("before it is loaded", said(created, "Ada"), plain(created))
	refresh()
	same("of an empty taxonomy", said(created, "Ada"), plain(created))

	exec(taught)
	refresh()
	same(
		"taught",
		said(created, "Ada"),
		activity.UIHints{
			Category: "research",
			Severity: activity.Info,
			Title:    "New trend signal",
			Summary:  "Ada created Momentum 12",
			Icon:     "wave",
		},
	)
	unknown := signal("signal.deleted")
	same("of another action", said(unknown, "Ada"), plain(unknown))
	renamed := signal("signal.renamed")
	want := plain(renamed)
	want.Category = "research"
	same("without phrases", said(renamed, "Ada"), want)
	empty := signal("signal.scored")
	empty.Payload = json.RawMessage(`{}`)
	want = plain(empty)
	want.Category = "research"
	same("with phrases that come out empty", said(empty, "Ada"), want)
	own := created
	own.Message, own.Category = "Look at this", "mine"
	same(
		"with a message and a category of its own",
		said(own, "Ada"),
		activity.UIHints{
			Category: "mine",
			Severity: activity.Info,
			Title:    "New trend signal",
			Summary:  "Look at this",
			Icon:     "wave",
		},
	)
	var none *activity.Phrasebook
	same("without a phrasebook", none.Event(&created, "user", "Ada"), activity.NewEvent(&created, "user", "Ada"))
	e := book.Event(&created, "user", "Ada")
	e.UIHints = plain(created)
	same("but for the hints", e, activity.NewEvent(&created, "user", "Ada"))

	// Each of these changes is seen, though none of them tells of itself.
	for change, want := range map[string]string{
		`UPDATE fanfare.taxonomy SET title = 'A' WHERE action = 'signal.created'`: "A",
		`UPDATE fanfare.taxonomy SET title = '' WHERE action = 'signal.created'`:  "Signal created",
		`DELETE FROM fanfare.taxonomy WHERE action = 'signal.created'`:            "Signal created",
	} {
		exec(`DELETE FROM fanfare.taxonomy`)
		exec(taught)
		refresh()
		exec(change)
		refresh()
		same(change, said(created, "Ada").Title, want)
	}

	// What came into the table past every check is left out alone.
	exec(`DELETE FROM fanfare.taxonomy`)
	exec(taught)
	exec(`UPDATE fanfare.taxonomy SET summary = '{nobody}' WHERE action = 'signal.created'`)
	err := book.Refresh(t.Context())
	if text := `summary of signal.created: character 1: "{nobody}"`; err == nil ||
		!strings.Contains(err.Error(), text) {
		t.Errorf("a phrase that nobody can render: got the error %v, want one with %s", err, text)
	}
	same("title beside it", said(created, "Ada").Title, "New trend signal")
	same("in its place", said(created, "Ada").Summary, plain(created).Summary)
}

// flaky is a database that can be away.
type flaky struct {
	*pgtest.DB
	err  error
	asks int
}

func (f *flaky) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	f.asks++
	if f.err != nil {
		return nil, f.err
	}
	return f.Pool.Query(ctx, sql, args...)
}

func TestPhrasebookKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	db := &flaky{DB: pgtest.New(t)}
	book := activity.NewPhrasebook(db, nil)
	if _, err := db.Pool.Exec(t.Context(), taught); err != nil {
		t.Fatal(err)
	}
	if err := book.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool.Exec(t.Context(), `DELETE FROM fanfare.taxonomy`); err != nil {
		t.Fatal(err)
	}
	db.err = errors.New("away")
	if err := book.Refresh(t.Context()); !errors.Is(err, db.err) {
		t.Errorf("got the error %v, want %v", err, db.err)
	}
	created := signal("signal.created")
	if got := book.Event(&created, "user", "Ada").UIHints.Summary; got != "Ada created Momentum 12" {
		t.Errorf("while the database is away: got %q, want what was read before", got)
	}
}

// Run is ready after the first look, even one that fails, tells of a failure once, and goes on
// looking.
func TestPhrasebookRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := &flaky{err: errors.New("away")}
		var reports []error
		book := activity.NewPhrasebook(db, func(err error) { reports = append(reports, err) })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- book.Run(ctx) }()
		<-book.Ready()
		time.Sleep(3500 * time.Millisecond)
		synctest.Wait()
		if db.asks != 4 {
			t.Errorf("after 3.5 s: got %d looks, want one a second", db.asks)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("got %v at the end, want nil", err)
		}
		if len(reports) != 1 || !errors.Is(reports[0], db.err) {
			t.Errorf("got the reports %v, want %v once", reports, db.err)
		}
	})
}

func BenchmarkPhrasebook(b *testing.B) {
	db := pgtest.New(b)
	if _, err := db.Pool.Exec(b.Context(), taught); err != nil {
		b.Fatal(err)
	}
	book := activity.NewPhrasebook(db.Pool, nil)
	if err := book.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	created, renamed := signal("signal.created"), signal("signal.deleted")
	for name, run := range map[string]func(out []byte) []byte{
		"none": func(out []byte) []byte {
			e := activity.NewEvent(&created, "user", "Ada")
			return e.AppendJSON(out)
		},
		"unknown": func(out []byte) []byte {
			e := book.Event(&renamed, "user", "Ada")
			return e.AppendJSON(out)
		},
		"taught": func(out []byte) []byte {
			e := book.Event(&created, "user", "Ada")
			return e.AppendJSON(out)
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				out = run(out[:0])
			}
		})
	}
}
