package inbox

import (
	"crypto/md5"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// loadLarge fills the inboxes of 1,000 principals with 40,000 activities of all partitions, three
// recipients each. Every principal holds a role on the root of 5,000 resources. Principal 1 has
// 10,000 more notifications, all unread; principal 2 has 30,000, all but one read. The id of number
// n of a kind is md5(kind || n).
func loadLarge(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	for _, sql := range []string{
		`CREATE FUNCTION large_id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
		 AS $$ SELECT md5(kind || n)::uuid $$`,
		`INSERT INTO fanfare.resources (tenant_id, id, parent_id, type)
		 SELECT large_id('t', 1), large_id('r', n), CASE WHEN n > 0 THEN large_id('r', n / 15) END, 'doc'
		 FROM generate_series(0, 5000) n`,
		`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		 SELECT large_id('t', 1), large_id('p', n), large_id('r', 0), 'viewer' FROM generate_series(1, 1000) n`,
		`INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at,
		     recorded_at, resource_type, action, visibility, status, severity, category, delivery_channels, payload)
		 SELECT overlay(fanfare.uuidv7_floor(at)::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid,
		        large_id('t', 1), large_id('p', 0), large_id('r', n % 5000 + 1), gen_random_uuid(), at,
		        at, 'doc', 'doc.moved', 'resource', 'success', 'info', 'doc', '{}', '{}'
		 FROM (
		     SELECT n, now() + interval '90 days' - n * interval '300 seconds' AS at FROM generate_series(1, 40000) n
		 ) AS x`,
		`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
		     party)
		 SELECT tenant_id, large_id('p', row_number() OVER (ORDER BY id) * k * 7 % 1000 + 1), id, 1,
		     resource_id, 'r', false
		 FROM fanfare.activities, generate_series(1, 3) k
		 ON CONFLICT DO NOTHING`,
		`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
		     party)
		 SELECT tenant_id, large_id('p', 1), id, 1, resource_id, 'r', false
		 FROM fanfare.activities ORDER BY id DESC LIMIT 10000
		 ON CONFLICT DO NOTHING`,
		`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
		     party)
		 SELECT tenant_id, large_id('p', 2), id, 1, resource_id, 'r', false
		 FROM fanfare.activities LIMIT 30000
		 ON CONFLICT DO NOTHING`,
		`UPDATE fanfare.notifications SET read_at = now()
		 WHERE principal_id = large_id('p', 2)
		   AND activity_id <> (SELECT max(activity_id::text)::uuid FROM fanfare.notifications
		                       WHERE principal_id = large_id('p', 2))`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func largeID(kind string, n int) uuid.UUID { return uuid.UUID(md5.Sum(fmt.Append(nil, kind, n))) }

func TestPlansUseIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	loadLarge(t, pool)
	ids := make([]uuid.UUID, markChunk)
	for i := range ids {
		ids[i] = uuid.New()
	}
	for _, statement := range []string{"SELECT", "ANALYZE"} { // without statistics, and with them
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 3; n++ {
			if _, err := tx.Exec(t.Context(), pglog.PinOrder); err != nil {
				t.Fatal(err)
			}
			principal := activity.Principal{TenantID: largeID("t", 1), PrincipalID: largeID("p", n)}
			tenant, id := principal.TenantID, principal.PrincipalID
			counted := []State{InInbox, Unread, Unseen, Archived, Snoozed}
			for _, state := range append(counted, All) {
				keys := selectNewest(columns, state)
				pgtest.WantIndexes(t, tx, keys, tenant, id, uuid.Max, MaxPage+1, uuid.Nil)
				pgtest.WantIndexes(t, tx, keys, tenant, id, uuid.Max, GroupWindow, uuid.Nil)
				pgtest.WantIndexes(t, tx, countNewest([]State{state}), tenant, id, uuid.Max, MaxCount, uuid.Nil)
			}
			pgtest.WantIndexes(t, tx, countNewest(counted), tenant, id, uuid.Max, MaxCount, uuid.Nil)
			pgtest.WantIndexes(t, tx, countActivities(counted), tenant, id, uuid.Max, MaxCount, uuid.Nil,
				pg.UUIDs(ids[:2]), []string{"r", "p"})
			pgtest.WantIndexes(t, tx, selectEvents, tenant, pg.UUIDs(ids), MaxPage+1)
			_, err := tx.Exec(t.Context(), `RESET enable_sort; RESET enable_incremental_sort; RESET jit`)
			if err != nil {
				t.Fatal(err)
			}
			pgtest.WantIndexes(t, tx, selectByID, tenant, id, pg.UUIDs(ids), uuid.Max)
			changes := Changes{Read: new(true), Snooze: &Snooze{Until: time.Now()}}
			pgtest.WantIndexes(t, tx, update, changes.arguments(principal, ids)...)
			pgtest.WantIndexes(t, tx, selectEnded, returnBatch)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkInbox(b *testing.B) {
	pool := pgtest.New(b).Pool
	loadLarge(b, pool)
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
	for name, n := range map[string]int{"120-unread": 3, "10000-unread": 1, "1-unread-of-30000": 2} {
		principal := activity.Principal{TenantID: largeID("t", 1), PrincipalID: largeID("p", n)}
		b.Run("Count/"+name, func(b *testing.B) {
			for b.Loop() {
				if n, err := Count(b.Context(), pool, principal, Unread); err != nil || n == 0 {
					b.Fatal(n, err)
				}
			}
		})
		b.Run("CountAll/"+name, func(b *testing.B) {
			for b.Loop() {
				if c, err := CountAll(b.Context(), pool, principal); err != nil || c.Unread == 0 {
					b.Fatal(c, err)
				}
			}
		})
		for _, state := range []State{InInbox, Unread} {
			b.Run(fmt.Sprintf("List/%s/%s", state, name), func(b *testing.B) {
				for b.Loop() {
					page, err := List(b.Context(), pool, principal, Query{Selection: Selection{State: state}})
					if err != nil || len(page.Items) == 0 {
						b.Fatal(len(page.Items), err)
					}
				}
			})
		}
	}
}
