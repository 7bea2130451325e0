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

// stage is a tenant with two resources: the principal holds a role on one of them.
type stage struct {
	db                *pgtest.DB
	tenant, principal uuid.UUID
	seen, hidden      uuid.UUID
}

func newStage(t testing.TB, db *pgtest.DB) *stage {
	t.Helper()
	s := &stage{db: db, tenant: uuid.New(), principal: uuid.New(), seen: uuid.New(), hidden: uuid.New()}
	if _, err := db.Pool.Exec(t.Context(), `INSERT INTO fanfare.resources (tenant_id, id, type) SELECT $1, unnest($2::uuid[]), 'doc'`, s.tenant, []uuid.UUID{s.seen, s.hidden}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool.Exec(t.Context(), `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name) VALUES ($1, $2, $3, 'viewer')`, s.tenant, s.principal, s.seen); err != nil {
		t.Fatal(err)
	}
	return s
}

// id identifies the principal.
func (s *stage) id() activity.Principal {
	return activity.Principal{TenantID: s.tenant, PrincipalID: s.principal}
}

// record writes n activities and returns their ids, oldest first.
func (s *stage) record(t testing.TB, n int, resource uuid.UUID, action string) (ids []uuid.UUID) {
	t.Helper()
	err := s.db.Pool.QueryRow(t.Context(), `
		WITH made AS (
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at, recorded_at, resource_type,
				action, visibility, status, severity, category, delivery_channels, payload)
			SELECT fanfare.uuidv7(), $1, gen_random_uuid(), $2, gen_random_uuid(), now(), clock_timestamp(), 'doc', $3, 'resource', 'success', 'info', 'doc', '{}', '{}'
			FROM generate_series(1, $4)
			RETURNING id
		)
		SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM made`, s.tenant, resource, action, n).Scan(&ids)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func (s *stage) all(t testing.TB, f activity.Filter, p activity.Page, between func()) (ids []uuid.UUID, pages int) {
	t.Helper()
	for {
		list, next, err := feed.List(t.Context(), s.db.Pool, feed.Request{Principal: s.id(), Filter: f, Page: p})
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

// TestPagesNeitherSkipNorRepeat pages through random logs while more is recorded: what passes the
// filter and may be seen comes once, newest first.
func TestPagesNeitherSkipNorRepeat(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := newStage(t, db)
		f := activity.Filter{Action: rapid.SampledFrom([]string{"", "doc.m*"}).Draw(rt, "action")}
		var want []uuid.UUID
		for range rapid.IntRange(0, 8).Draw(rt, "runs") {
			resource := rapid.SampledFrom([]uuid.UUID{s.seen, s.hidden}).Draw(rt, "resource")
			action := rapid.SampledFrom([]string{"doc.moved", "doc.read"}).Draw(rt, "what")
			ids := s.record(t, rapid.IntRange(1, 6).Draw(rt, "length"), resource, action)
			if resource == s.seen && (f.Action == "" || action == "doc.moved") {
				want = append(want, ids...)
			}
		}
		slices.Reverse(want)
		got, _ := s.all(
			t,
			f,
			activity.Page{Limit: rapid.IntRange(1, 6).Draw(rt, "limit")},
			func() { s.record(t, 2, s.seen, "doc.moved") },
		)
		if !slices.Equal(got, want) {
			rt.Errorf("got %s\nwant %s", got, want)
		}
	})
}

func TestNoPageReadsOnWithoutEnd(t *testing.T) {
	t.Parallel()
	s := newStage(t, pgtest.New(t))
	oldest := s.record(t, 2, s.seen, "doc.moved")
	slices.Reverse(oldest)
	s.record(t, feed.ReadBudget+100, s.hidden, "doc.moved")
	list, next, err := feed.List(t.Context(), s.db.Pool, feed.Request{Principal: s.id()})
	if err != nil || len(list) != 0 || next == uuid.Nil {
		t.Errorf("got %d, next %v, %v, want an empty page with a next", len(list), next, err)
	}
	for _, f := range []activity.Filter{{}, {Q: "DOC"}, {ResourceType: "doc"}} {
		if got, pages := s.all(t, f, activity.Page{}, nil); !slices.Equal(got, oldest) || pages != 2 {
			t.Errorf("%+v: got %s in %d pages, want %s in 2", f, got, pages, oldest)
		}
	}
	if got, pages := s.all(t, activity.Filter{Q: "no such text"}, activity.Page{}, nil); len(got) != 0 || pages != 2 {
		t.Errorf("what the log looks through in vain: got %d in %d pages, want none in 2", len(got), pages)
	}
}

func TestOnlyWhatMayBeSeen(t *testing.T) {
	t.Parallel()
	s := newStage(t, pgtest.New(t))
	foreign := newStage(t, s.db)
	mine, hidden, theirs := s.record(t, 1, s.seen, "doc.moved")[0], s.record(t, 1, s.hidden, "doc.moved")[0], foreign.record(t, 1, foreign.seen, "doc.moved")[0]
	// A role in this tenant on another tenant's resource opens nothing.
	if _, err := s.db.Pool.Exec(t.Context(), `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name) VALUES ($1, $2, $3, 'owner')`, s.tenant, s.principal, foreign.seen); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.all(t, activity.Filter{}, activity.Page{}, nil); !slices.Equal(got, []uuid.UUID{mine}) {
		t.Errorf("got %s, want only %s", got, mine)
	}
	if a, err := feed.Get(t.Context(), s.db.Pool, s.id(), mine); err != nil || a.ID != mine {
		t.Errorf("Get: got %+v, %v, want it", a, err)
	}
	for name, tt := range map[string]struct {
		principal activity.Principal
		id        uuid.UUID
	}{
		"hidden activity":           {s.id(), hidden},
		"another tenant's activity": {s.id(), theirs},
		"unknown activity":          {s.id(), uuid.New()},
		"another principal":         {activity.Principal{TenantID: s.tenant, PrincipalID: uuid.New()}, mine},
		"another tenant":            {activity.Principal{TenantID: foreign.tenant, PrincipalID: s.principal}, mine},
	} {
		a, err := feed.Get(t.Context(), s.db.Pool, tt.principal, tt.id)
		if !errors.Is(err, activity.ErrNotFound) || a.ID != uuid.Nil {
			t.Errorf("%s: got %+v, %v, want ErrNotFound", name, a, err)
		}
	}
	_, _, err := feed.List(t.Context(), s.db.Pool, feed.Request{Principal: s.id(), Filter: activity.Filter{Status: "?"}})
	if _, ok := errors.AsType[*invalid.Error](err); !ok {
		t.Errorf("a filter that is none: got %v, want it refused", err)
	}
}
