package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// snapshotHolder is a session or a prepared transaction that keeps VACUUM from removing dead rows.
type snapshotHolder struct {
	description string
	age         time.Duration
}

// checkSnapshots checks for transactions that have been open for long. Settled rows of the outbox
// are deleted, and VACUUM cannot remove them before these transactions end. A role that is not a
// member of pg_read_all_stats sees its own sessions only.
func checkSnapshots(ctx context.Context, x *examination) finding {
	rows, err := x.Pool.Query(ctx, `
		SELECT format('session %s of %s (%s, %s)', a.pid, a.usename,
		           coalesce(nullif(a.application_name, ''), 'no application_name'), a.state),
		       now() - a.xact_start
		FROM pg_stat_activity AS a
		WHERE a.pid <> pg_backend_pid() AND a.backend_type IN ('client backend', 'walsender')
		  AND a.datname IS NOT DISTINCT FROM current_database()
		  AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL OR a.state LIKE 'idle in transaction%')
		  AND now() - a.xact_start > $1::interval
		UNION ALL
		SELECT format('prepared transaction %s of %s', p.gid, p.owner), now() - p.prepared
		FROM pg_prepared_xacts AS p
		WHERE p.database = current_database() AND now() - p.prepared > $1::interval
		ORDER BY 2 DESC`, x.LongTransaction)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h snapshotHolder, err error) {
		return h, row.Scan(&h.description, &h.age)
	})
	if err != nil {
		return databaseFailure(err, x.role)
	}
	var seesAll bool
	if err := x.Pool.QueryRow(ctx, `SELECT pg_has_role('pg_read_all_stats', 'USAGE')`).Scan(&seesAll); err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluateSnapshots(found, x.LongTransaction, seesAll, x.role)
}

func evaluateSnapshots(found []snapshotHolder, maxAge time.Duration, seesAll bool, role string) finding {
	switch {
	case len(found) > 0:
		oldest := found[0]
		return warning(
			fmt.Sprintf("%d transactions have been open for more than %s and hold VACUUM back; the oldest for %s: %s",
				len(found), maxAge, oldest.age.Round(time.Second), oldest.description),
			"end it, and set idle_in_transaction_session_timeout for its role",
		)
	case !seesAll:
		return passed(
			"no transaction of %s has been open for more than %s; "+
				"to check those of other roles, GRANT pg_read_all_stats TO %s;",
			role, maxAge, role,
		)
	}
	return passed("no transaction has been open for more than %s", maxAge)
}
