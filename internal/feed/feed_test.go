package feed_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a tenant with two resources. The principal holds a role on visible and none on hidden.
type world struct {
	db              *pgtest.DB
	principal       activity.Principal
	visible, hidden uuid.UUID
}

func newWorld(t testing.TB, db *pgtest.DB) *world {
	t.Helper()
	w := &world{
		db:        db,
		principal: activity.Principal{TenantID: uuid.New(), PrincipalID: uuid.New()},
		visible:   uuid.New(),
		hidden:    uuid.New(),
	}
	w.exec(t, `INSERT INTO fanfare.resources (tenant_id, id, type) SELECT $1, unnest($2::uuid[]), 'doc'`,
		w.principal.TenantID, []uuid.UUID{w.visible, w.hidden})
	w.addRole(t, w.visible, "viewer")
	return w
}

func (w *world) addRole(t testing.TB, resource uuid.UUID, role string) {
	t.Helper()
	w.exec(t, `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $3, $4)`, w.principal.TenantID, w.principal.PrincipalID, resource, role)
}

func (w *world) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := w.db.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// record records n activities and returns their ids, oldest first.
func (w *world) record(t testing.TB, n int, resource uuid.UUID, action string) []uuid.UUID {
	t.Helper()
	return w.recordVisible(t, n, resource, action, activity.ResourceWide)
}

func (w *world) recordVisible(
	t testing.TB, n int, resource uuid.UUID, action string, visibility activity.Visibility,
) (ids []uuid.UUID) {
	t.Helper()
	err := w.db.Pool.QueryRow(t.Context(), `
		WITH recorded AS (
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
				occurred_at, recorded_at, resource_type, action, visibility, status, severity, category,
				delivery_channels, payload)
			SELECT fanfare.uuidv7(), $1, gen_random_uuid(), $2, gen_random_uuid(), now(), clock_timestamp(), 'doc', $3,
				$5, 'success', 'info', 'doc', '{}', '{}'
			FROM generate_series(1, $4)
			RETURNING id
		)
		SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM recorded`,
		w.principal.TenantID, resource, action, n, visibility).Scan(&ids)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// list reads all pages and calls between, if not nil, after each.
func (w *world) list(t testing.TB, f activity.Filter, p activity.Page, between func()) (ids []uuid.UUID, pages int) {
	t.Helper()
	for {
		list, next, err := feed.List(t.Context(), w.db.Pool, feed.Request{Principal: w.principal, Filter: f, Page: p})
		if err != nil {
			t.Fatal(err)
		}
		if p.Limit > 0 && len(list) > p.Limit {
			t.Fatalf("got a page of %d, want at most %d", len(list), p.Limit)
		}
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		if pages++; next == uuid.Nil {
			return ids, pages
		}
		p.Before = next
		if between != nil {
			between()
		}
	}
}

// TestPagesNeitherSkipNorRepeat reads the pages of random logs while activities are recorded. The
// pages contain each visible activity of the filter once, newest first.
func TestPagesNeitherSkipNorRepeat(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, db)
		f := activity.Filter{Action: rapid.SampledFrom([]string{"", "doc.m*"}).Draw(rt, "filter")}
		var want []uuid.UUID
		for range rapid.IntRange(0, 8).Draw(rt, "runs") {
			resource := rapid.SampledFrom([]uuid.UUID{w.visible, w.hidden}).Draw(rt, "resource")
			action := rapid.SampledFrom([]string{"doc.moved", "doc.read"}).Draw(rt, "action")
			ids := w.record(t, rapid.IntRange(1, 6).Draw(rt, "length"), resource, action)
			if resource == w.visible && (f.Action == "" || action == "doc.moved") {
				want = append(want, ids...)
			}
		}
		slices.Reverse(want)
		page := activity.Page{Limit: rapid.IntRange(1, 6).Draw(rt, "limit")}
		got, _ := w.list(t, f, page, func() { w.record(t, 2, w.visible, "doc.moved") })
		if !slices.Equal(got, want) {
			rt.Errorf("got %s\nwant %s", got, want)
		}
	})
}

func TestListReadsAtMostItsBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	oldest := w.record(t, 2, w.visible, "doc.moved")
	slices.Reverse(oldest)
	w.record(t, feed.ReadBudget+100, w.hidden, "doc.moved")
	list, next, err := feed.List(t.Context(), w.db.Pool, feed.Request{Principal: w.principal})
	if err != nil || len(list) != 0 || next == uuid.Nil {
		t.Errorf("got %d, next %v, %v, want an empty page with a next", len(list), next, err)
	}
	for _, f := range []activity.Filter{{}, {Q: "DOC"}, {ResourceType: "doc"}} {
		if got, pages := w.list(t, f, activity.Page{}, nil); !slices.Equal(got, oldest) || pages != 2 {
			t.Errorf("%+v: got %s in %d pages, want %s in 2", f, got, pages, oldest)
		}
	}
	if got, pages := w.list(t, activity.Filter{Q: "absent text"}, activity.Page{}, nil); len(got) != 0 || pages != 2 {
		t.Errorf("filter without a match: got %d in %d pages, want 0 in 2", len(got), pages)
	}
}

func TestListAndGetReturnVisibleActivitiesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	foreign := newWorld(t, w.db)
	visible, hidden := w.record(t, 1, w.visible, "doc.moved")[0], w.record(t, 1, w.hidden, "doc.moved")[0]
	others := foreign.record(t, 1, foreign.visible, "doc.moved")[0]
	w.addRole(t, foreign.visible, "owner") // a role on another tenant's resource must have no effect
	if got, _ := w.list(t, activity.Filter{}, activity.Page{}, nil); !slices.Equal(got, []uuid.UUID{visible}) {
		t.Errorf("List: got %s, want %s", got, visible)
	}
	if a, err := feed.Get(t.Context(), w.db.Pool, w.principal, visible); err != nil || a.ID != visible {
		t.Errorf("Get: got %+v, %v, want the activity", a, err)
	}
	otherTenant, otherPrincipal := w.principal, w.principal
	otherTenant.TenantID, otherPrincipal.PrincipalID = foreign.principal.TenantID, uuid.New()
	for name, tt := range map[string]struct {
		principal activity.Principal
		id        uuid.UUID
	}{
		"hidden activity":           {w.principal, hidden},
		"another tenant's activity": {w.principal, others},
		"unknown activity":          {w.principal, uuid.New()},
		"another principal":         {otherPrincipal, visible},
		"another tenant":            {otherTenant, visible},
	} {
		a, err := feed.Get(t.Context(), w.db.Pool, tt.principal, tt.id)
		if !errors.Is(err, activity.ErrNotFound) || a.ID != uuid.Nil {
			t.Errorf("Get, %s: got %+v, %v, want ErrNotFound", name, a, err)
		}
	}
}

func TestListWithAnInvalidFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	request := feed.Request{Principal: w.principal, Filter: activity.Filter{Status: "?"}}
	_, _, err := feed.List(t.Context(), w.db.Pool, request)
	if _, ok := errors.AsType[*invalid.Error](err); !ok {
		t.Errorf("got %v, want an *invalid.Error", err)
	}
}

// TestKeysOfTheFilter checks that a filter by the caller's own actions and by a resource on which
// the caller holds a role finds old activities at once, and that one whose index holds activities
// of others reads the log as every filter does.
func TestKeysOfTheFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	old := w.record(t, 1, w.visible, "doc.moved")[0]
	w.record(t, feed.ReadBudget+100, w.hidden, "doc.moved")
	var actor uuid.UUID
	err := w.db.Pool.QueryRow(t.Context(), `SELECT actor_principal_id FROM fanfare.activities WHERE id = $1`, old).
		Scan(&actor)
	if err != nil {
		t.Fatal(err)
	}
	me, theActor := w.principal, activity.Principal{TenantID: w.principal.TenantID, PrincipalID: actor}
	for name, tt := range map[string]struct {
		principal activity.Principal
		readsAll  bool
		filter    activity.Filter
		pages     int
	}{
		"own actions":                   {theActor, false, activity.Filter{Actor: actor}, 1},
		"resource with a role":          {me, false, activity.Filter{Resource: w.visible}, 1},
		"another's actions":             {me, false, activity.Filter{Actor: actor}, 2},
		"another's actions, readable":   {me, true, activity.Filter{Actor: actor}, 1},
		"resource with a role, a match": {me, false, activity.Filter{Resource: w.visible, Q: "moved"}, 1},
	} {
		request := feed.Request{Principal: tt.principal, ReadsAll: tt.readsAll, Filter: tt.filter}
		var got []uuid.UUID
		pages := 0
		for more := true; more; pages++ {
			list, next, err := feed.List(t.Context(), w.db.Pool, request)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				got = append(got, a.ID)
			}
			request.Page.Before, more = next, next != uuid.Nil
		}
		if !slices.Equal(got, []uuid.UUID{old}) || pages != tt.pages {
			t.Errorf("%s: got %s in %d pages, want %s in %d", name, got, pages, old, tt.pages)
		}
	}
}

// TestPrivateActivitiesOfAResource checks that a page of a resource does not depend on its private
// activities for a principal that holds a role but does not manage it.
func TestPrivateActivitiesOfAResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	shown := w.record(t, 2, w.visible, "doc.moved")
	w.recordVisible(t, feed.ReadBudget+100, w.visible, "doc.moved", activity.Private)
	slices.Reverse(shown)
	got, pages := w.list(t, activity.Filter{Resource: w.visible}, activity.Page{}, nil)
	if !slices.Equal(got, shown) || pages != 1 {
		t.Errorf("with a role: got %s in %d pages, want %s in 1", got, pages, shown)
	}
	w.addRole(t, w.visible, "delegator")
	got, _ = w.list(t, activity.Filter{Resource: w.visible}, activity.Page{Limit: activity.MaxPage}, nil)
	if want := feed.ReadBudget + 102; len(got) != want {
		t.Errorf("as a delegator: got %d, want %d", len(got), want)
	}
}
