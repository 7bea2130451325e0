package feed_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// drawDirectory adds resources in a random graph, with cycles and without some parents, and random
// roles of the principal and of its group. It returns the ids, also of what the directory lacks.
func drawDirectory(rt *rapid.T, t testing.TB, w *world) (resources []uuid.UUID) {
	tenant, me, group := w.principal.TenantID, w.principal.PrincipalID, uuid.New()
	w.exec(t, `INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		tenant, group, me)
	resources = []uuid.UUID{w.visible, w.hidden}
	for range 8 {
		resources = append(resources, uuid.New())
	}
	resource := rapid.SampledFrom(resources)
	for _, id := range resources[2:8] { // the directory lacks the others
		parent, owner := &id, &me
		*parent = resource.Draw(rt, "parent")
		if rapid.IntRange(0, 3).Draw(rt, "rootless") == 0 {
			parent = nil
		}
		if rapid.IntRange(0, 4).Draw(rt, "owner") > 0 {
			owner = new(uuid.New())
		}
		w.exec(t, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type)
			VALUES ($1, $2, $3, $4, 'doc') ON CONFLICT DO NOTHING`, tenant, id, parent, owner)
	}
	for range rapid.IntRange(0, 3).Draw(rt, "roles") {
		w.exec(t, `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name, revoked_at)
			VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)`,
			tenant, rapid.SampledFrom([]uuid.UUID{me, group}).Draw(rt, "holder"), resource.Draw(rt, "scope"),
			rapid.SampledFrom([]string{"viewer", "delegator", "owner"}).Draw(rt, "role"),
			rapid.IntRange(0, 4).Draw(rt, "revoked") == 0)
	}
	return resources
}

// readReach reports whether the sets of a principal decide, and whether they do about the scope.
func readReach(t testing.TB, w *world) (complete, inScope bool) {
	t.Helper()
	err := w.db.Pool.QueryRow(t.Context(),
		`SELECT complete, in_scope IS NOT NULL FROM (`+directory.Reach+`) AS r`,
		directory.ReachArguments(w.principal)[:5]...).Scan(&complete, &inScope)
	if err != nil {
		t.Fatal(err)
	}
	return complete, inScope
}

// TestReachAgainstCanView compares the lists of random logs in random directories with what
// directory.CanView decides of each activity.
func TestReachAgainstCanView(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, db)
		me := w.principal.PrincipalID
		resources := rapid.SampledFrom(drawDirectory(rt, t, w))
		if complete, inScope := readReach(t, w); !complete || !inScope {
			rt.Fatalf("got sets that do not decide: complete %t, in scope %t", complete, inScope)
		}
		someone := rapid.SampledFrom([]uuid.UUID{me, uuid.New(), uuid.New(), uuid.New()})
		var ids [5][]uuid.UUID // resources, actors, owners, parents, targets
		var visibilities []string
		for range rapid.IntRange(1, 50).Draw(rt, "activities") {
			for i, from := range []*rapid.Generator[uuid.UUID]{resources, someone, someone, resources, someone} {
				ids[i] = append(ids[i], from.Draw(rt, "id"))
			}
			visibilities = append(visibilities, rapid.SampledFrom([]string{
				"private", "resource", "resource", "scope", "scope", "tenant",
			}).Draw(rt, "visibility"))
		}
		w.exec(t, `
			INSERT INTO fanfare.activities (id, tenant_id, resource_id, actor_principal_id, owner_id, parent_id,
				target_principal_ids, visibility, correlation_id, occurred_at, recorded_at, resource_type, action,
				status, severity, category, delivery_channels, payload)
			SELECT fanfare.uuidv7(), $1, u.resource, u.actor, u.owner, u.parent, ARRAY[u.target], u.visibility,
				gen_random_uuid(), now(), now(), 'doc', 'doc.moved', 'success', 'info', 'doc', '{}', '{}'
			FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[])
			     AS u(resource, actor, owner, parent, target, visibility)`,
			w.principal.TenantID, ids[0], ids[1], ids[2], ids[3], ids[4], visibilities)
		headers, err := pglog.New(db.Pool).ScanHeaders(
			t.Context(), pglog.Scan{Tenant: w.principal.TenantID, Limit: feed.ReadBudget})
		if err != nil {
			t.Fatal(err)
		}
		queries := make([]directory.AccessQuery, len(headers))
		for i := range headers {
			queries[i] = directory.AccessQueryFor(&headers[i])
		}
		allowed, err := directory.CanView(t.Context(), db.Pool, w.principal, queries)
		if err != nil {
			t.Fatal(err)
		}
		var want []uuid.UUID
		for i := range headers {
			if allowed[i] {
				want = append(want, headers[i].ID)
			}
		}
		page := activity.Page{Limit: rapid.IntRange(1, 30).Draw(rt, "limit")}
		for _, f := range []activity.Filter{{}, {Action: "doc.*"}, {Q: "moved"}} {
			if got, _ := w.list(t, f, page, nil); !slices.Equal(got, want) {
				rt.Errorf("%+v: got %s\nwant %s of %d", f, got, want, len(headers))
			}
		}
	})
}

// TestReachOfManyResources reads the log of principals whose sets are as large as directory.Reach
// returns them, and larger, and with a directory that is a view.
func TestReachOfManyResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.record(t, 3, w.hidden, "doc.moved")
	want := w.record(t, 3, w.visible, "doc.moved")
	check := func(name string, wantComplete, wantScope bool) {
		t.Helper()
		if complete, inScope := readReach(t, w); complete != wantComplete || inScope != wantScope {
			t.Errorf("%s: got complete %t, in scope %t, want %t, %t", name, complete, inScope, wantComplete, wantScope)
		}
		got, _ := w.list(t, activity.Filter{}, activity.Page{Limit: 2}, nil)
		slices.Reverse(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	parent, sibling := uuid.New(), uuid.New()
	w.exec(t, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, type)
		VALUES ($1, $2, NULL, 'folder'), ($1, $3, $2, 'doc')`, w.principal.TenantID, parent, sibling)
	w.exec(t, `UPDATE fanfare.resources SET parent_id = $2 WHERE id = $1`, w.visible, parent)
	want = append(want, w.recordVisible(t, 1, sibling, "doc.moved", activity.ScopeWide)...)
	const below = `INSERT INTO fanfare.resources (tenant_id, id, parent_id, type)
		SELECT $1, gen_random_uuid(), $2, 'doc' FROM generate_series(1, $3)`
	check("few", true, true)
	w.exec(t, below, w.principal.TenantID, parent, directory.MaxReach-2)
	check("as many below the parent as the sets have", true, true)
	w.exec(t, below, w.principal.TenantID, parent, 1)
	check("one more below the parent", true, false)
	w.exec(t, below, w.principal.TenantID, w.visible, directory.MaxReach-1)
	check("as many as the sets have", true, false)
	w.exec(t, below, w.principal.TenantID, w.visible, 1)
	check("one more", false, false)
	w = newWorld(t, w.db)
	want = w.record(t, 3, w.visible, "doc.moved")
	check("a table", true, true)
	for _, sql := range []string{
		`ALTER TABLE fanfare.resources RENAME TO resources_of_host`,
		`CREATE VIEW fanfare.resources AS SELECT * FROM fanfare.resources_of_host`,
		`GRANT SELECT ON fanfare.resources TO fanfare_directory`,
	} {
		w.exec(t, sql)
	}
	check("a view", false, false)
}

// counted counts the times that a List waits for the database.
type counted struct {
	feed.DB
	trips int
}

func (c *counted) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.trips++
	return c.DB.Query(ctx, sql, args...)
}

func (c *counted) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	c.trips++
	return c.DB.SendBatch(ctx, b)
}

// TestSparsePagesTakeFewStatements lists pages of one activity each from a log with thousands of
// activities that the sets of directory.Reach do not decide about, and that do not pass: at the
// time of recording, the principal owned the resource.
func TestSparsePagesTakeFewStatements(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	oldest := w.record(t, 2, w.visible, "doc.moved")
	slices.Reverse(oldest)
	w.exec(t, `
		INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, owner_id, resource_id, correlation_id,
			occurred_at, recorded_at, resource_type, action, visibility, status, severity, category,
			delivery_channels, payload)
		SELECT fanfare.uuidv7(), $1, gen_random_uuid(), $2, $3, gen_random_uuid(), now(), now(), 'doc', 'doc.moved',
			'resource', 'success', 'info', 'doc', '{}', '{}'
		FROM generate_series(1, $4)`,
		w.principal.TenantID, w.principal.PrincipalID, w.hidden, feed.ReadBudget-2)
	for _, f := range []activity.Filter{{}, {Action: "doc.moved"}, {Q: "absent"}} {
		db := &counted{DB: w.db.Pool}
		request := feed.Request{Principal: w.principal, Filter: f, Page: activity.Page{Limit: 1}}
		list, _, err := feed.List(t.Context(), db, request)
		if err != nil {
			t.Fatal(err)
		}
		if f.Q == "" && (len(list) != 1 || list[0].ID != oldest[0]) {
			t.Errorf("%+v: got %d activities, want the newest visible one", f, len(list))
		}
		// Each part takes a statement, one that decides, and one that reads what passes.
		if db.trips > 15 {
			t.Errorf("%+v: got %d round trips, want at most 15", f, db.trips)
		}
	}
}
