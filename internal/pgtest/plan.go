package pgtest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Plans returns the plans of a statement: the custom plan for args, and the generic plan, which the
// server may choose after several executions. The settings of tx apply to both.
func Plans(t testing.TB, tx pgx.Tx, statement string, args ...any) (custom, generic string) {
	t.Helper()
	custom = explain(t, tx, "EXPLAIN "+statement, args...)
	nulls := ""
	if len(args) > 0 {
		nulls = "(NULL" + strings.Repeat(", NULL", len(args)-1) + ")"
	}
	for _, sql := range []string{"SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE planned AS " + statement} {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	generic = explain(t, tx, "EXPLAIN EXECUTE planned"+nulls)
	for _, sql := range []string{"DEALLOCATE planned", "SET LOCAL plan_cache_mode = auto"} {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return custom, generic
}

// badNodes matches sequential scans of large tables, and JIT compilation, which the server uses for
// expensive plans only.
var badNodes = regexp.MustCompile(
	`Seq Scan on (activities|notifications|subscriptions|preferences|principals|resources|role_bindings|memberships|` +
		`watch_levels)|JIT:`,
)

// WantIndexes fails the test if the custom or the generic plan of a statement scans a large table
// of the log, the inboxes or the directory sequentially, or is expensive enough for JIT
// compilation.
func WantIndexes(t testing.TB, tx pgx.Tx, statement string, args ...any) {
	t.Helper()
	custom, generic := Plans(t, tx, statement, args...)
	for kind, plan := range map[string]string{"custom": custom, "generic": generic} {
		if bad := badNodes.FindString(plan); bad != "" {
			t.Errorf("%s plan: got %q:\n%s\n%s", kind, bad, statement, plan)
		}
	}
}

// scans matches the scans of the log's partitions.
var scans = regexp.MustCompile(`.* on activities\w*`)

// WantPrimaryKeys fails the test if a plan has no scan of the log, or one that does not use the
// primary key.
func WantPrimaryKeys(t testing.TB, plan string) {
	t.Helper()
	found := scans.FindAllString(plan, -1)
	for _, scan := range found {
		if !strings.Contains(scan, "_pkey on ") {
			t.Errorf("got %q, want a scan of the primary key:\n%s", strings.TrimSpace(scan), plan)
		}
	}
	if len(found) == 0 {
		t.Errorf("got a plan without a scan of the log:\n%s", plan)
	}
}

func explain(t testing.TB, tx pgx.Tx, statement string, args ...any) string {
	t.Helper()
	rows, err := tx.Query(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(fmt.Errorf("%w: %s", err, statement))
	}
	return strings.Join(lines, "\n")
}
