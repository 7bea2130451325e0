package preferences_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/preferences"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func newPrincipal() activity.Principal {
	return activity.Principal{TenantID: uuid.New(), PrincipalID: uuid.New()}
}

func get(t *testing.T, db *pgtest.DB, principal activity.Principal) preferences.Stored {
	t.Helper()
	s, err := preferences.Get(t.Context(), db.Pool, principal)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, db *pgtest.DB, principal activity.Principal, c preferences.Change) preferences.Stored {
	t.Helper()
	s, err := preferences.Put(t.Context(), db.Pool, principal, c)
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, db, principal); !equal(got, s) {
		t.Errorf("Get after Put: got %+v, want what Put returned, %+v", got, s)
	}
	return s
}

func equal(a, b preferences.Stored) bool {
	return a.Mode == b.Mode && a.Muted == b.Muted && slices.Equal(a.CustomActions, b.CustomActions) &&
		slices.Equal(a.MutedActions, b.MutedActions) && slices.Equal(a.MutedActors, b.MutedActors) &&
		a.Sources == b.Sources && a.UpdatedAt.Equal(b.UpdatedAt)
}

func TestGetReturnsTheDefault(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	principal := newPrincipal()
	for range 2 {
		s := get(t, db, principal)
		if s.Mode != preferences.ModeMutations || s.Muted || s.CustomActions == nil || len(s.CustomActions) > 0 ||
			s.MutedActions == nil || len(s.MutedActions) > 0 || !s.UpdatedAt.IsZero() {
			t.Errorf("got %+v, want the default", s)
		}
	}
	if _, err := preferences.Put(t.Context(), db.Pool, principal, preferences.Change{}); err != nil {
		t.Error(err)
	}
	var rows int
	err := db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.preferences`).Scan(&rows)
	if err != nil || rows != 0 {
		t.Errorf("after Get and an empty change: got %d rows, %v, want none", rows, err)
	}
}

func TestPutChangesTheGivenFields(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	principal := newPrincipal()
	custom, all := preferences.ModeCustom, preferences.ModeAll
	yes, no := true, false

	first := put(t, db, principal, preferences.Change{Muted: &yes})
	if first.Mode != preferences.ModeMutations || !first.Muted || len(first.CustomActions) > 0 ||
		first.UpdatedAt.IsZero() {
		t.Errorf("muted: got %+v", first)
	}
	s := put(t, db, principal, preferences.Change{Mode: &custom, CustomActions: &[]string{"b.*", "a.*", "b.*"}})
	if s.Mode != custom || !s.Muted || !slices.Equal(s.CustomActions, []string{"b.*", "a.*"}) ||
		s.UpdatedAt.Before(first.UpdatedAt) {
		t.Errorf("patterns: got %+v, want the distinct patterns in their order, still muted", s)
	}
	s = put(t, db, principal, preferences.Change{Mode: &all, Muted: &no})
	if s.Mode != all || s.Muted || len(s.CustomActions) != 2 {
		t.Errorf("mode: got %+v, want the patterns unchanged", s)
	}
	s = put(t, db, principal, preferences.Change{CustomActions: &[]string{}})
	if s.Mode != all || s.CustomActions == nil || len(s.CustomActions) > 0 {
		t.Errorf("no patterns: got %+v", s)
	}
	if s = put(t, db, principal, preferences.Change{CustomActions: new([]string)}); len(s.CustomActions) > 0 {
		t.Errorf("nil list: got %+v", s)
	}

	s = put(t, db, principal, preferences.Change{MutedActions: &[]string{"b.*", "a.*", "b.*"}})
	if !slices.Equal(s.MutedActions, []string{"b.*", "a.*"}) || len(s.CustomActions) > 0 || s.Mode != all {
		t.Errorf("muted actions: got %+v, want the distinct patterns in their order, and nothing else changed", s)
	}
	if s = put(t, db, principal, preferences.Change{Mode: &custom}); len(s.MutedActions) != 2 {
		t.Errorf("another field: got %+v, want the muted actions unchanged", s)
	}
	s = put(t, db, principal, preferences.Change{MutedActions: new([]string)})
	if s.MutedActions == nil || len(s.MutedActions) > 0 || s.Sources.MutedActions != preferences.FromPrincipal {
		t.Errorf("no muted actions: got %+v, want the choice of none", s)
	}

	for name, other := range map[string]activity.Principal{
		"another tenant":    {TenantID: uuid.New(), PrincipalID: principal.PrincipalID},
		"another principal": {TenantID: principal.TenantID, PrincipalID: uuid.New()},
	} {
		if s := get(t, db, other); !s.UpdatedAt.IsZero() {
			t.Errorf("%s: got %+v, want the defaults", name, s)
		}
	}
}

func TestPutKeepsInheritedFields(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	principal := newPrincipal()
	all, yes, actor := preferences.ModeAll, true, uuid.New()
	inherited := preferences.Sources{
		Mode: preferences.FromInstallation, CustomActions: preferences.FromInstallation,
		Muted: preferences.FromInstallation, MutedActions: preferences.FromInstallation,
	}
	s := put(t, db, principal, preferences.Change{MutedActors: &[]uuid.UUID{actor, uuid.Nil, actor}})
	if s.Sources != inherited || !slices.Equal(s.MutedActors, []uuid.UUID{actor, uuid.Nil}) {
		t.Errorf("muted actors: got %+v, want the distinct ones, and nothing else set", s)
	}
	_, after := putTenant(t, db, principal.TenantID, preferences.Change{
		Mode: &all, CustomActions: &[]string{"a.*", "a.*"}, Muted: &yes, MutedActions: &[]string{"b.*", "b.*"},
	})
	if after.Mode != all || !after.Muted || !slices.Equal(after.CustomActions, []string{"a.*"}) ||
		!slices.Equal(after.MutedActions, []string{"b.*"}) {
		t.Errorf("the tenant's: got %+v", after)
	}
	if s = get(t, db, principal); s.Mode != all || !s.Muted || len(s.CustomActions) != 1 ||
		len(s.MutedActions) != 1 || s.Sources != (preferences.Sources{
		Mode: preferences.FromTenant, CustomActions: preferences.FromTenant,
		Muted: preferences.FromTenant, MutedActions: preferences.FromTenant,
	}) || len(s.MutedActors) != 2 {
		t.Errorf("after the tenant's change: got %+v, want the tenant's fields", s)
	}
	no := false
	if s = put(t, db, principal, preferences.Change{Muted: &no, MutedActors: new([]uuid.UUID)}); s.Mode != all ||
		s.Muted || s.Sources.Mode != preferences.FromTenant || s.Sources.Muted != preferences.FromPrincipal ||
		len(s.MutedActors) != 0 {
		t.Errorf("own field: got %+v, want the other fields inherited", s)
	}
	s = put(t, db, principal, preferences.Change{MutedActions: &[]string{"c.*"}})
	if !slices.Equal(s.MutedActions, []string{"c.*"}) || s.Sources.MutedActions != preferences.FromPrincipal ||
		s.Sources.CustomActions != preferences.FromTenant {
		t.Errorf("own muted actions: got %+v, want them instead of the tenant's", s)
	}
	every := preferences.Change{Inherit: preferences.AllFields()}
	if s = put(t, db, principal, every); !s.Muted || s.Sources.Muted != preferences.FromTenant ||
		!slices.Equal(s.MutedActions, []string{"b.*"}) || s.UpdatedAt.IsZero() {
		t.Errorf("reset: got %+v, want all fields inherited", s)
	}
	before, after := putTenant(t, db, principal.TenantID, every)
	if !before.Muted || after.Muted || after.Sources != inherited || after.UpdatedAt.IsZero() {
		t.Errorf("the tenant reset: got %+v and %+v", before, after)
	}
	if s = get(t, db, principal); s.Mode != preferences.ModeMutations || s.Sources != inherited {
		t.Errorf("without any: got %+v, want the installation's", s)
	}
}

func putTenant(t *testing.T, db *pgtest.DB, tenant uuid.UUID, c preferences.Change) (
	before, after preferences.TenantDefault,
) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) (err error) {
		before, after, err = preferences.PutTenant(t.Context(), tx, tenant, c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := preferences.GetTenant(t.Context(), db.Pool, tenant)
	if err != nil || got.Mode != after.Mode || got.Sources != after.Sources || !got.UpdatedAt.Equal(after.UpdatedAt) {
		t.Errorf("GetTenant after PutTenant: got %+v, %v, want %+v", got, err, after)
	}
	return before, after
}

func TestTenantDefault(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := uuid.New()
	before, after := putTenant(t, db, tenant, preferences.Change{})
	if !before.UpdatedAt.IsZero() || !after.UpdatedAt.IsZero() || after.Mode != preferences.ModeMutations ||
		after.CustomActions == nil {
		t.Errorf("an empty change: got %+v and %+v, want the installation's", before, after)
	}
	for name, c := range map[string]preferences.Change{
		"muted_actors": {MutedActors: &[]uuid.UUID{}}, "inherit[0]": {Inherit: []preferences.Field{"muted_actors"}},
	} {
		err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
			_, _, err := preferences.PutTenant(t.Context(), tx, tenant, c)
			return err
		})
		var input *invalid.Error
		if !errors.As(err, &input) || input.Fields[0].Name != name {
			t.Errorf("%s: got %v, want an error about the field", name, err)
		}
	}
	_, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.tenant_preferences (tenant_id, filter_mode) VALUES ($1, 'digest')`, tenant)
	if err != nil {
		t.Fatal(err)
	}
	got, err := preferences.GetTenant(t.Context(), db.Pool, tenant)
	if err != nil || got.Mode != preferences.ModeMutations || got.Sources.Mode != preferences.FromTenant {
		t.Errorf("an unknown mode: got %+v, %v, want mutations", got, err)
	}
}

func TestPutConcurrently(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	principal := newPrincipal()
	mode, muted := preferences.ModeCustom, true
	var wg sync.WaitGroup
	for _, c := range []preferences.Change{
		{Mode: &mode}, {CustomActions: &[]string{"a.*"}}, {Muted: &muted}, {MutedActions: &[]string{"b.*"}},
	} {
		wg.Go(func() {
			if _, err := preferences.Put(t.Context(), db.Pool, principal, c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := get(t, db, principal); s.Mode != mode || !s.Muted || len(s.CustomActions) != 1 || len(s.MutedActions) != 1 {
		t.Errorf("got %+v, want all four changes", s)
	}
}

func TestGetWithAnUnknownMode(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	principal := newPrincipal()
	_, err := db.Pool.Exec(t.Context(), `INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode)
		VALUES ($1, $2, 'digest')`, principal.TenantID, principal.PrincipalID)
	if err != nil {
		t.Fatal(err)
	}
	if s := get(t, db, principal); s.Mode != preferences.ModeMutations {
		t.Errorf("got mode %q, want mutations", s.Mode)
	}
	if _, err := db.Pool.Exec(t.Context(), `INSERT INTO fanfare.tenant_preferences (tenant_id) VALUES ($1)`,
		principal.TenantID); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE fanfare.preferences SET custom_actions = '{a.*,NULL}' WHERE tenant_id = $1`,
		`UPDATE fanfare.preferences SET custom_actions = '{{a.*},{b.*}}' WHERE tenant_id = $1`,
		`UPDATE fanfare.tenant_preferences SET custom_actions = '{a.*,NULL}' WHERE tenant_id = $1`,
		`UPDATE fanfare.preferences SET muted_actions = '{a.*,NULL}' WHERE tenant_id = $1`,
		`UPDATE fanfare.preferences SET muted_actions = '{{a.*},{b.*}}' WHERE tenant_id = $1`,
		`UPDATE fanfare.tenant_preferences SET muted_actions = '{a.*,NULL}' WHERE tenant_id = $1`,
		`UPDATE fanfare.preferences SET muted_actors = ARRAY[NULL::uuid] WHERE tenant_id = $1`,
		`UPDATE fanfare.preferences SET muted_actors = ARRAY[ARRAY[tenant_id], ARRAY[tenant_id]] WHERE tenant_id = $1`,
		`UPDATE fanfare.preferences SET muted_actors = array_fill(tenant_id, ARRAY[1001]) WHERE tenant_id = $1`,
	} {
		if _, err := db.Pool.Exec(t.Context(), statement, principal.TenantID); err == nil {
			t.Errorf("%s: got no error, want the array that Get cannot scan rejected", statement)
		}
	}
}

func TestChangeValidate(t *testing.T) {
	t.Parallel()
	hundred := make([]string, preferences.MaxPatterns)
	for i := range hundred {
		hundred[i] = fmt.Sprintf("signal%d.*", i)
	}
	mode := func(m preferences.Mode) *preferences.Mode { return &m }
	for _, tt := range []struct {
		name   string
		change preferences.Change
		want   []string
	}{
		{"empty", preferences.Change{}, nil},
		{"mode", preferences.Change{Mode: mode("all")}, nil},
		{"empty mode", preferences.Change{Mode: mode("")}, []string{"filter_mode"}},
		{"unknown mode", preferences.Change{Mode: mode("ALL")}, []string{"filter_mode"}},
		{"maximum number of patterns", preferences.Change{CustomActions: &hundred}, nil},
		{
			"too many patterns",
			preferences.Change{CustomActions: new(append(slices.Clone(hundred), "x.y"))},
			[]string{"custom_actions"},
		},
		{"maximum number of muted actions", preferences.Change{MutedActions: &hundred}, nil},
		{
			"too many muted actions",
			preferences.Change{MutedActions: new(append(slices.Clone(hundred), "x.y"))},
			[]string{"muted_actions"},
		},
		{
			"an invalid muted action, and one that is inherited as well",
			preferences.Change{
				MutedActions: &[]string{"a.*", "\xff"}, Inherit: []preferences.Field{"muted_actions"},
			},
			[]string{"muted_actions[1]", "inherit[0]"},
		},
		{"nothing muted", preferences.Change{MutedActors: &[]uuid.UUID{}}, nil},
		{
			"maximum number of muted actors",
			preferences.Change{MutedActors: new(make([]uuid.UUID, preferences.MaxMutedActors))},
			nil,
		},
		{
			"too many muted actors",
			preferences.Change{MutedActors: new(make([]uuid.UUID, preferences.MaxMutedActors+1))},
			[]string{"muted_actors"},
		},
		{"inherit", preferences.Change{Inherit: preferences.AllFields()}, nil},
		{
			"inherit what is set, and what is not inherited",
			preferences.Change{Mode: mode("all"), Inherit: []preferences.Field{"muted", "filter_mode", "x\x00"}},
			[]string{"inherit[1]", "inherit[2]"},
		},
		{
			"invalid patterns",
			preferences.Change{
				Mode: mode("?\x00\xff"),
				CustomActions: &[]string{
					"ok.*", "", strings.Repeat("x", preferences.MaxPatternBytes+1), "[", "\xff", "a\x00b",
				},
			},
			[]string{"filter_mode", "custom_actions[1]", "custom_actions[2]", "custom_actions[4]", "custom_actions[5]"},
		},
	} {
		err := tt.change.Validate()
		var got []string
		if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
			for _, f := range invalidErr.Fields {
				got = append(got, f.Name)
				if f.Rule == "" || !utf8.ValidString(f.Value) || strings.Contains(f.Value, "\x00") ||
					len(f.Value) > 100 {
					t.Errorf("%s: got %+v", tt.name, f)
				}
			}
		} else if err != nil {
			t.Errorf("%s: got %T, want *invalid.Error", tt.name, err)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got violations of %q, want %q", tt.name, got, tt.want)
		}
		if len(tt.want) == 0 {
			continue
		}
		if _, err := preferences.Put(t.Context(), nil, activity.Principal{}, tt.change); err == nil {
			t.Errorf("%s: Put: got no error", tt.name)
		}
	}
}
