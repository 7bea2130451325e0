package tenantmove

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// The bounds of waiting for the locks of the tables. A waiting lock holds up the writers that come
// after it, so the first attempts are short and each pause is long. Every attempt is shorter than
// deadlock_timeout: it gives up before the server ends the transaction of another.
const (
	firstAttempt   = 25 * time.Millisecond
	longestAttempt = 400 * time.Millisecond
	pauseFactor    = 4

	// vacuumAttempt is longer than deadlock_timeout, after which an automatic vacuum gives way.
	vacuumAttempt = 1500 * time.Millisecond
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
	return retryLocked(ctx, conn, names, limit, waiting, func(timeout time.Duration) error {
		return withLock(ctx, conn, names, "SHARE ROW EXCLUSIVE", timeout, change)
	})
}

// withLock runs do in a transaction with locks of tables, for each of which it waits for up to
// timeout.
func withLock(
	ctx context.Context, conn *pgx.Conn, names []string, mode string, timeout time.Duration, do func(tx pgx.Tx) error,
) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL lock_timeout = %d; LOCK TABLE %s IN %s MODE`,
			timeout.Milliseconds(), strings.Join(names, ", "), mode))
		if err != nil {
			return err
		}
		return do(tx)
	})
}

// retryLocked repeats attempts that need locks of the tables, for up to limit.
func retryLocked(
	ctx context.Context, conn *pgx.Conn, names []string, limit time.Duration, waiting func(string),
	try func(timeout time.Duration) error,
) error {
	deadline := time.Now().Add(limit)
	for attempt := firstAttempt; ; attempt = min(2*attempt, longestAttempt) {
		err := try(attempt)
		if err == nil || !pg.Contended(err) {
			return err
		}
		writers := writersOf(ctx, conn, names)
		if time.Now().After(deadline) {
			return fmt.Errorf("lock the tables: %w; %s", err, writers)
		}
		waiting(writers)
		if attempt == longestAttempt {
			endVacuums(ctx, conn, names)
		}
		if err := wait.Sleep(ctx, pauseFactor*attempt); err != nil {
			return err
		}
	}
}

// endVacuums waits for the locks of the tables that an automatic vacuum holds, one after the other,
// until it gives way.
func endVacuums(ctx context.Context, conn *pgx.Conn, names []string) {
	rows, err := conn.Query(ctx, `
		SELECT DISTINCT l.relation::regclass::text
		FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE l.relation = ANY ($1::text[]::regclass[]) AND l.granted AND a.backend_type = 'autovacuum worker'
		  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`, names)
	if err != nil {
		return // the next attempt has the error
	}
	busy, _ := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, table := range busy {
		nothing := func(pgx.Tx) error { return nil }
		_ = withLock(ctx, conn, []string{table}, "SHARE ROW EXCLUSIVE", vacuumAttempt, nothing)
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
