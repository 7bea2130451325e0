package inbox_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestQueryModes reads a feed and an inbox in the modes for poolers. In some of them, pgx does not
// learn the types of arguments from the server.
func TestQueryModes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	p := activity.Principal{TenantID: uuid.New(), PrincipalID: uuid.New()}
	for _, sql := range []string{
		`INSERT INTO fanfare.resources (tenant_id, id, type) VALUES ($1, $2, 'doc')`,
		`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		 VALUES ($1, $2, $2, 'viewer')`,
		`INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at,
		     recorded_at, resource_type, action, visibility, status, severity, category, delivery_channels, payload)
		 SELECT fanfare.uuidv7(), $1, gen_random_uuid(), $2, gen_random_uuid(), now(), now(), 'doc', 'doc.moved',
		        'resource', 'success', 'info', 'doc', '{}', '{}'`,
		`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
		     party)
		 SELECT $1, $2, id, 1, resource_id, 'r', false FROM fanfare.activities`,
	} {
		if _, err := db.Pool.Exec(t.Context(), sql, p.TenantID, p.PrincipalID); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []string{"exec", "simple_protocol", "cache_describe"} {
		pool, err := database.Open(t.Context(), db.URLWith("default_query_exec_mode", mode), 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []activity.Filter{{}, {Q: "moved", Since: time.Now().Add(-time.Hour)}} {
			list, _, err := feed.List(t.Context(), pool, feed.Request{Principal: p, Filter: f})
			if err != nil || len(list) != 1 {
				t.Errorf("%s: feed: got %d, %v, want 1", mode, len(list), err)
			}
			q := inbox.Query{Selection: inbox.Selection{Filter: f}}
			page, unread, err := inbox.Overview(t.Context(), pool, p, q)
			if err != nil || len(page.Items) != 1 || unread != 1 {
				t.Errorf("%s: inbox: got %d, %d unread, %v, want 1 and 1", mode, len(page.Items), unread, err)
			}
		}
		if counts, err := inbox.CountAll(t.Context(), pool, p); err != nil || counts.Unread != 1 {
			t.Errorf("%s: counts: got %+v, %v, want one unread", mode, counts, err)
		}
		pool.Close()
	}
}
