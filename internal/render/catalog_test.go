package render_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var ada = directory.Actor{Kind: "user", DisplayName: "Ada"}

func signals() []taxonomy.Action {
	return []taxonomy.Action{
		{
			Name: "signal.created", Category: "research", Icon: "wave",
			Title: "New {payload.kind} signal", Summary: "{actor} created {resource}",
		},
		{Name: "signal.renamed", Category: "research"},
		{Name: "signal.scored", Category: "research", Title: "{payload.kind}", Summary: "{payload.kind}"},
	}
}

func signal(action string) activity.Activity {
	return activity.Activity{
		ID:               uuid.Max,
		TenantID:         tenant,
		ActorPrincipalID: actor,
		ResourceID:       resource,
		ResourceType:     "signal",
		ResourceName:     "Momentum 12",
		Action:           action,
		Category:         "signal",
		Severity:         activity.Info,
		Payload:          json.RawMessage(`{"kind":"trend"}`),
	}
}

func newCatalog(t testing.TB, actions []taxonomy.Action) *render.Catalog {
	t.Helper()
	c := &render.Catalog{}
	if err := c.Set(actions); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	created := activity.UIHints{
		Category: "research",
		Severity: activity.Info,
		Title:    "New trend signal",
		Summary:  "Ada created Momentum 12",
		Icon:     "wave",
	}
	defaults := func(action, title, summary string) activity.UIHints {
		return activity.UIHints{
			Category: action, Severity: activity.Info, Title: title, Summary: summary, Icon: "signal",
		}
	}
	for name, tt := range map[string]struct {
		catalog *render.Catalog
		change  func(a *activity.Activity)
		want    activity.UIHints
	}{
		"nil": {
			nil, nil, defaults("signal", "Signal created", "Ada: signal created — Momentum 12"),
		},
		"never set": {
			&render.Catalog{}, nil, defaults("signal", "Signal created", "Ada: signal created — Momentum 12"),
		},
		"empty taxonomy": {
			newCatalog(t, nil), nil, defaults("signal", "Signal created", "Ada: signal created — Momentum 12"),
		},
		"texts": {newCatalog(t, signals()), nil, created},
		"action without texts": {
			newCatalog(t, signals()),
			func(a *activity.Activity) { a.Action = "signal.renamed" },
			defaults("research", "Signal renamed", "Ada: signal renamed — Momentum 12"),
		},
		"unknown action": {
			newCatalog(t, signals()),
			func(a *activity.Activity) { a.Action = "signal.deleted" },
			defaults("signal", "Signal deleted", "Ada: signal deleted — Momentum 12"),
		},
		"templates that render nothing": {
			newCatalog(t, signals()),
			func(a *activity.Activity) { a.Action, a.Payload = "signal.scored", json.RawMessage(`{}`) },
			defaults("research", "Signal scored", "Ada: signal scored — Momentum 12"),
		},
		"message and category of the writer": {
			newCatalog(t, signals()),
			func(a *activity.Activity) { a.Message, a.Category = "Please review", "mine" },
			activity.UIHints{
				Category: "mine",
				Severity: activity.Info,
				Title:    created.Title,
				Summary:  "Please review",
				Icon:     created.Icon,
			},
		},
	} {
		a := signal("signal.created")
		if tt.change != nil {
			tt.change(&a)
		}
		got := tt.catalog.Event(&a, ada)
		if diff := cmp.Diff(tt.want, got.UIHints); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		want := (*render.Catalog)(nil).Event(&a, ada)
		got.UIHints, want.UIHints = activity.UIHints{}, activity.UIHints{}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: other fields than ui_hints differ: -want +got\n%s", name, diff)
		}
	}
}

func TestSetReplacesTheTexts(t *testing.T) {
	t.Parallel()
	c := newCatalog(t, signals())
	created := signal("signal.created")
	for title, actions := range map[string][]taxonomy.Action{
		"A":              {{Name: "signal.created", Title: "A"}},
		"Signal created": {{Name: "signal.renamed", Title: "A"}},
	} {
		if err := c.Set(actions); err != nil {
			t.Fatal(err)
		}
		if got := c.Event(&created, ada).UIHints.Title; got != title {
			t.Errorf("after setting %v: got the title %q, want %q", actions, got, title)
		}
	}
}

func TestSetLeavesOutInvalidTemplates(t *testing.T) {
	t.Parallel()
	actions := signals()
	actions[0].Summary = "{anyone}"
	c := &render.Catalog{}
	err := c.Set(actions)
	const want = `summary of signal.created: character 1: "{anyone}"`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got the error %v, want one with %s", err, want)
	}
	created := signal("signal.created")
	hints := c.Event(&created, ada).UIHints
	if hints.Title != "New trend signal" || hints.Summary != "Ada: signal created — Momentum 12" {
		t.Errorf("got %+v, want the title of the taxonomy and the default summary", hints)
	}
}

func TestSetConcurrentlyWithEvent(t *testing.T) {
	t.Parallel()
	c := &render.Catalog{}
	created := signal("signal.created")
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 100 {
			if err := c.Set(signals()); err != nil {
				t.Error(err)
			}
		}
	})
	for range 100 {
		if got := c.Event(&created, ada).UIHints.Title; got != "Signal created" && got != "New trend signal" {
			t.Errorf("got the title %q, want the default or that of the taxonomy", got)
		}
	}
	wg.Wait()
}

func TestEventsNamesTheActors(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), `INSERT INTO fanfare.principals (tenant_id, id, kind, display_name)
		VALUES ($1, $2, 'agent', 'Ada')`, tenant, actor); err != nil {
		t.Fatal(err)
	}
	c := newCatalog(t, signals())
	known, foreign := signal("signal.created"), signal("signal.created")
	foreign.TenantID = uuid.New()
	events, err := c.Events(t.Context(), db.Pool, []*activity.Activity{&known, &foreign, &known})
	if err != nil {
		t.Fatal(err)
	}
	named := directory.Actor{Kind: "agent", DisplayName: "Ada"}
	want := []activity.Event{c.Event(&known, named), c.Event(&foreign, directory.Actor{}), c.Event(&known, named)}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if events, err := c.Events(t.Context(), nil, nil); err != nil || len(events) != 0 {
		t.Errorf("no activities: got %v, %v, want no events without a statement", events, err)
	}
}

func BenchmarkEvent(b *testing.B) {
	none, c := (*render.Catalog)(nil), newCatalog(b, signals())
	created, deleted := signal("signal.created"), signal("signal.deleted")
	for name, run := range map[string]func(out []byte) []byte{
		"nil": func(out []byte) []byte {
			e := none.Event(&created, ada)
			return e.AppendJSON(out)
		},
		"unknown-action": func(out []byte) []byte {
			e := c.Event(&deleted, ada)
			return e.AppendJSON(out)
		},
		"texts": func(out []byte) []byte {
			e := c.Event(&created, ada)
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
