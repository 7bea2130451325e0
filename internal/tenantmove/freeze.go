package tenantmove

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// The bounds of waiting for the locks of the tables. A waiting lock holds up the writers that come
// after it, so the first attempts are short and each pause is long. The longest attempt is longer
// than deadlock_timeout, after which an automatic vacuum gives way.
const (
	firstAttempt   = 25 * time.Millisecond
	longestAttempt = 1500 * time.Millisecond
	pauseFactor    = 4
)

// whileUnwritten runs change in a transaction that begins when no other transaction writes one of
// the tables, and that keeps others from doing so. It repeats its attempts for up to limit.
func whileUnwritten(
	ctx context.Context, conn *pgx.Conn, tables []tenantdata.Table, limit time.Duration, waiting func(string),
	change func(tx pgx.Tx) error,
) error {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = "fanfare." + t.Name
	}
	deadline := time.Now().Add(limit)
	for attempt := firstAttempt; ; attempt = min(2*attempt, longestAttempt) {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL lock_timeout = %d; LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE`,
				attempt.Milliseconds(), strings.Join(names, ", ")))
			if err != nil {
				return err
			}
			return change(tx)
		})
		if err == nil || !pg.Contended(err) {
			return err
		}
		writers := writersOf(ctx, conn, names)
		if time.Now().After(deadline) {
			return fmt.Errorf("lock the tables: %w; %s", err, writers)
		}
		waiting(writers)
		if err := wait.Sleep(ctx, pauseFactor*attempt); err != nil {
			return err
		}
	}
}

// writersOf describes the oldest transactions that hold locks which conflict with a freeze.
func writersOf(ctx context.Context, conn *pgx.Conn, names []string) string {
	rows, err := conn.Query(ctx, `
		SELECT format('%s (process %s%s) has written to %s for %s s', coalesce(nullif(a.application_name, ''),
		           a.backend_type), a.pid, ', ' || a.usename, l.relation::regclass,
		           round(extract(epoch FROM clock_timestamp() - a.xact_start))::int)
		FROM pg_locks AS l
		JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE l.relation = ANY ($1::text[]::regclass[]) AND l.granted AND a.pid <> pg_backend_pid()
		  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
		ORDER BY a.xact_start
		LIMIT 3`, names)
	if err == nil {
		var list []string
		if list, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil && len(list) > 0 {
			return "waiting for transactions: " + strings.Join(list, "; ")
		}
	}
	return "waiting for transactions that write the tables"
}

// triggerName returns the name of a trigger of a freeze.
func triggerName(e tenantdata.Event) string { return "refuse_frozen_" + strings.ToLower(string(e)) }

// armTriggers makes the triggers of the tables refuse changes of every tenant that is frozen in the
// database, as the transaction sees it. Without one, it drops them.
func armTriggers(ctx context.Context, tx pgx.Tx, s *tenantdata.Scope) error {
	rows, err := tx.Query(ctx, `
		SELECT tenant_id FROM fanfare.tenant_moves WHERE frozen_at IS NOT NULL ORDER BY tenant_id`)
	if err != nil {
		return fmt.Errorf("read the frozen tenants: %w", err)
	}
	tenants, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var id uuid.UUID
		err := row.Scan((*[16]byte)(&id))
		return id.String(), err
	})
	if err != nil {
		return fmt.Errorf("read the frozen tenants: %w", err)
	}
	var statements []string
	for _, t := range s.Freezable() {
		for _, e := range t.Frozen {
			if len(tenants) == 0 {
				statements = append(statements,
					fmt.Sprintf("DROP TRIGGER IF EXISTS %s ON fanfare.%s", triggerName(e), t.Name))
				continue
			}
			statements = append(statements, trigger(s, t, e, tenants))
		}
	}
	if _, err := tx.Exec(ctx, strings.Join(statements, ";\n")); err != nil {
		return fmt.Errorf("replace the triggers: %w", err)
	}
	return nil
}

// trigger returns the statement that creates one trigger. Its condition is evaluated without a
// call, so that the rows of other tenants cost next to nothing.
func trigger(s *tenantdata.Scope, t tenantdata.Table, e tenantdata.Event, tenants []string) string {
	list := "ANY ('{" + strings.Join(tenants, ",") + "}'::uuid[])"
	event, condition := string(e), "NEW.tenant_id = "+list
	switch e {
	case tenantdata.Delete:
		condition = "OLD.tenant_id = " + list
	case tenantdata.Update:
		condition += " OR OLD.tenant_id = " + list
		if len(t.Ignored) > 0 {
			var columns []string
			for _, c := range s.Columns(t) {
				if !slices.Contains(t.Ignored, c) {
					columns = append(columns, pgx.Identifier{c}.Sanitize())
				}
			}
			event += " OF " + strings.Join(columns, ", ")
		}
	}
	return fmt.Sprintf(`CREATE OR REPLACE TRIGGER %s BEFORE %s ON fanfare.%s
		FOR EACH ROW WHEN (%s) EXECUTE FUNCTION fanfare.refuse_frozen()`, triggerName(e), event, t.Name, condition)
}
