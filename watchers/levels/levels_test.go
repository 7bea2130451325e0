package levels_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers/levels"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestSetGetRemove(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	viewer, pool := d.Principal(d.Viewer), d.DB.Pool
	first, err := levels.Set(t.Context(), pool, viewer, levels.Level{
		ResourceID: d.Doc, Level: preferences.LevelCustom, Scope: subscriptions.ScopeDescendants,
		Patterns: []string{"b.*", "a.*", "b.*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if first.ResourceID != d.Doc || first.Level != preferences.LevelCustom ||
		first.Scope != subscriptions.ScopeDescendants || !slices.Equal(first.Patterns, []string{"b.*", "a.*"}) ||
		first.UpdatedAt.IsZero() {
		t.Errorf("got %+v, want the distinct patterns in their order", first)
	}
	second, err := levels.Set(t.Context(), pool, viewer, levels.Level{ResourceID: d.Doc, Level: "ignore"})
	if err != nil || second.Level != preferences.LevelIgnore || second.Scope != subscriptions.ScopeResource ||
		len(second.Patterns) > 0 || second.UpdatedAt.Before(first.UpdatedAt) {
		t.Errorf("again: got %+v, %v, want nothing of the first", second, err)
	}
	got, err := levels.Get(t.Context(), pool, viewer, d.Doc)
	if err != nil || got == nil || got.Level != second.Level || !got.UpdatedAt.Equal(second.UpdatedAt) {
		t.Errorf("read: got %+v, %v, want %+v", got, err, second)
	}
	for name, other := range map[string]activity.Principal{
		"another tenant":    {TenantID: uuid.New(), PrincipalID: d.Viewer},
		"another principal": d.Principal(d.Owner),
	} {
		if got, err := levels.Get(t.Context(), pool, other, d.Doc); got != nil {
			t.Errorf("%s: got %+v, %v, want no level", name, got, err)
		}
		if removed, err := levels.Remove(t.Context(), pool, other, d.Doc); err != nil || removed {
			t.Errorf("%s: got removed %t, %v, want nothing to remove", name, removed, err)
		}
	}
	for _, want := range []bool{true, false} {
		if removed, err := levels.Remove(t.Context(), pool, viewer, d.Doc); err != nil || removed != want {
			t.Errorf("got removed %t, %v, want %t", removed, err, want)
		}
	}
}

// TestGetTheNearest reads the levels that decide for a viewer of a team and of everything in it.
func TestGetTheNearest(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	viewer := d.Principal(d.Viewer)
	set := func(resource uuid.UUID, level preferences.Level, scope string) {
		t.Helper()
		_, err := levels.Set(t.Context(), d.DB.Pool, viewer, levels.Level{
			ResourceID: resource, Level: level, Scope: scope,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, resource, from uuid.UUID, level preferences.Level) {
		t.Helper()
		got, err := levels.Get(t.Context(), d.DB.Pool, viewer, resource)
		if err != nil || got == nil || got.ResourceID != from || got.Level != level {
			t.Errorf("%s: got %+v, %v, want %s of %s", what, got, err, level, from)
		}
	}
	wantNone := func(what string, resource uuid.UUID) {
		t.Helper()
		if got, err := levels.Get(t.Context(), d.DB.Pool, viewer, resource); err != nil || got != nil {
			t.Errorf("%s: got %+v, %v, want none", what, got, err)
		}
	}
	wantNone("nothing is set", d.Doc)
	set(d.Team, preferences.LevelIgnore, subscriptions.ScopeResource)
	wantNone("a level of the parent alone", d.Doc)
	set(d.Team, preferences.LevelParticipating, subscriptions.ScopeDescendants)
	want("a level of the parent and what is below it", d.Doc, d.Team, preferences.LevelParticipating)
	set(d.Doc, preferences.LevelAll, subscriptions.ScopeResource)
	want("one of its own, too", d.Doc, d.Doc, preferences.LevelAll)
	want("of a sibling", d.Sibling, d.Team, preferences.LevelParticipating)

	// Of what the viewer no longer sees, only what it has set itself.
	d.Exec(t, `UPDATE fanfare.role_bindings SET revoked_at = now() WHERE principal_id = $1`, d.Viewer)
	want("without a role", d.Doc, d.Doc, preferences.LevelAll)
	for _, resource := range []uuid.UUID{d.Sibling, d.Org, uuid.New()} {
		if got, err := levels.Get(t.Context(), d.DB.Pool, viewer, resource); !errors.Is(err, activity.ErrNotFound) {
			t.Errorf("what it never saw: got %+v, %v, want ErrNotFound", got, err)
		}
	}
}

func TestSetRequiresARole(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	foreign := directorytest.New(t, d.DB)
	for name, tt := range map[string]struct{ principal, resource uuid.UUID }{
		"unknown resource":              {d.Viewer, uuid.New()},
		"another tenant's resource":     {d.Viewer, foreign.Doc},
		"another tenant's principal":    {foreign.Viewer, d.Doc},
		"a role below the resource":     {d.Viewer, d.Org},
		"no role":                       {d.Stranger, d.Doc},
		"a role on another resource":    {d.Neighbour, d.Doc},
		"inactive":                      {d.Inactive, d.Doc},
		"a principal that is not there": {d.Unknown, d.Doc},
	} {
		_, err := levels.Set(t.Context(), d.DB.Pool, d.Principal(tt.principal), levels.Level{
			ResourceID: tt.resource, Level: preferences.LevelAll,
		})
		if !errors.Is(err, activity.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
	var rows int
	err := d.DB.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.watch_levels`).Scan(&rows)
	if err != nil || rows != 0 {
		t.Errorf("got %d rows, %v, want none", rows, err)
	}
	for _, principal := range []uuid.UUID{d.Owner, d.Delegator, d.Viewer} {
		if _, err := levels.Set(t.Context(), d.DB.Pool, d.Principal(principal), levels.Level{
			ResourceID: d.Doc, Level: preferences.LevelAll,
		}); err != nil {
			t.Errorf("with a role: got %v, want no error", err)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		level levels.Level
		want  []string // fields with violations
	}{
		"all": {levels.Level{Level: "all"}, nil},
		"custom": {
			levels.Level{Level: "custom", Scope: "descendants", Patterns: []string{"a.*"}}, nil,
		},
		"no level":                  {levels.Level{}, []string{"level"}},
		"an unknown level":          {levels.Level{Level: "Ignore\x00"}, []string{"level"}},
		"an unknown scope":          {levels.Level{Level: "all", Scope: "tenant"}, []string{"scope"}},
		"custom without patterns":   {levels.Level{Level: "custom"}, []string{"patterns"}},
		"patterns of another level": {levels.Level{Level: "all", Patterns: []string{"a.*"}}, []string{"patterns"}},
		"everything at once": {
			levels.Level{Level: "x", Scope: "y", Patterns: []string{"a", "", "\xff"}},
			[]string{"patterns[1]", "patterns[2]", "level", "scope"},
		},
		"too many patterns": {
			levels.Level{Level: "custom", Patterns: make([]string, preferences.MaxPatterns+1)}, []string{"patterns"},
		},
	} {
		var got []string
		err := tt.level.Validate()
		var input *invalid.Error
		if errors.As(err, &input) {
			for _, f := range input.Fields {
				got = append(got, f.Name)
			}
		} else if err != nil {
			t.Errorf("%s: got %T, want *invalid.Error", name, err)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got violations of %q, want %q", name, got, tt.want)
		}
		if len(tt.want) > 0 {
			if _, err := levels.Set(t.Context(), nil, activity.Principal{}, tt.level); !errors.As(err, &input) {
				t.Errorf("%s: Set: got %v, want *invalid.Error", name, err)
			}
		}
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	const count = 7
	d.Exec(t, `
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level)
		SELECT $1, p, gen_random_uuid(), 'ignore'
		FROM generate_series(1, $3), unnest(ARRAY[$2, gen_random_uuid()]) AS p`,
		d.ID, d.Viewer, count)
	seen, after := map[uuid.UUID]bool{}, uuid.Nil
	for page := 0; ; page++ {
		list, next, err := levels.List(t.Context(), d.DB.Pool, d.Principal(d.Viewer),
			subscriptions.Page{Limit: 3, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			if seen[l.ResourceID] {
				t.Errorf("page %d: got %s again", page, l.ResourceID)
			}
			seen[l.ResourceID] = true
		}
		if after = next; after == uuid.Nil {
			break
		}
	}
	if len(seen) != count {
		t.Errorf("got %d levels, want %d", len(seen), count)
	}
}
