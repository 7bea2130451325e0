package pglog_test

import (
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestByIDUsesThePrimaryKey asserts the plan of a session that began while the log was empty.
func TestByIDUsesThePrimaryKey(t *testing.T) {
	t.Parallel()
	conn, err := pgtest.New(t).Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range []string{
		`ANALYZE fanfare.activities`,
		`SET plan_cache_mode = force_generic_plan`,
		`SET enable_seqscan = off`,
		`PREPARE find (uuid[], uuid[]) AS
		 SELECT a.action FROM unnest($1, $2) AS u(id, tenant_id)
		 LEFT JOIN ` + pglog.ByID("u.id", "u.tenant_id") + ` ON true`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.Query(t.Context(), `EXPLAIN EXECUTE find ('{}', '{}')`)
	if err != nil {
		t.Fatal(err)
	}
	scans := 0
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(line, " on activities") {
			continue
		}
		if scans++; !strings.Contains(line, "_pkey on ") {
			t.Errorf("got %q, want a scan of the primary key", strings.TrimSpace(line))
		}
	}
	if err := rows.Err(); err != nil || scans == 0 {
		t.Errorf("got %d scans of the log, %v; want one of each partition", scans, err)
	}
}
