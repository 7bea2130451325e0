package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// holder is what keeps VACUUM from removing dead rows.
type holder struct {
	what string
	age  time.Duration
}

// snapshots finds transactions that have been open for long. The outbox lives by DELETE: what is
// deleted stays until they end. A role that is no member of pg_read_all_stats sees only its own
// sessions.
func snapshots(ctx context.Context, x *examination) verdict {
	rows, err := x.Pool.Query(ctx, `
		SELECT format('session %s of %s (%s, %s)', a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'no application_name'), a.state), now() - a.xact_start
		FROM pg_stat_activity AS a
		WHERE a.pid <> pg_backend_pid() AND a.backend_type IN ('client backend', 'walsender') AND a.datname IS NOT DISTINCT FROM current_database()
		  AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL OR a.state LIKE 'idle in transaction%') AND now() - a.xact_start > $1::interval
		UNION ALL
		SELECT format('prepared transaction %s of %s', p.gid, p.owner), now() - p.prepared
		FROM pg_prepared_xacts AS p
		WHERE p.database = current_database() AND now() - p.prepared > $1::interval
		ORDER BY 2 DESC`, x.LongTransaction)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	found, err := pgx.CollectRows(
		rows,
		func(row pgx.CollectableRow) (h holder, err error) { return h, row.Scan(&h.what, &h.age) },
	)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	var all bool
	if err := x.Pool.QueryRow(ctx, `SELECT pg_has_role('pg_read_all_stats', 'USAGE')`).Scan(&all); err != nil {
		return databaseTrouble(err, x.role)
	}
	return judgeSnapshots(found, x.LongTransaction, all, x.role)
}

func judgeSnapshots(found []holder, long time.Duration, all bool, role string) verdict {
	switch {
	case len(found) > 0:
		return warn(fmt.Sprintf("%d transactions are open for more than %s and hold VACUUM back; the oldest for %s: %s",
			len(found), long, found[0].age.Round(time.Second), found[0].what),
			"end it, and set idle_in_transaction_session_timeout for its role")
	case !all:
		return fine(
			"no transaction of %s is open for more than %s; those of others are seen after GRANT pg_read_all_stats TO %s;",
			role,
			long,
			role,
		)
	}
	return fine("no transaction is open for more than %s", long)
}
