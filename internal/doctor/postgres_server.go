package doctor

import (
	"context"
	"fmt"

	"github.com/fanfarehq/fanfare/migrations"
)

func reachable(ctx context.Context, x *examination) verdict {
	var database, version string
	err := x.Pool.QueryRow(ctx, `SELECT quote_ident(current_user), current_database(), current_setting('server_version')`).
		Scan(&x.role, &database, &version)
	if err != nil {
		return databaseTrouble(err, "")
	}
	at := x.Pool.Config().ConnConfig
	return fine("PostgreSQL %s at %s:%d, database %s, as %s", version, at.Host, at.Port, database, x.role)
}

// oldestPostgreSQL is the oldest that the schema can be made on.
const oldestPostgreSQL = 15

func serverVersion(ctx context.Context, x *examination) verdict {
	var major int
	err := x.Pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int / 10000`).Scan(&major)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	return judgeVersion(major)
}

func judgeVersion(major int) verdict {
	if major < oldestPostgreSQL {
		return fail(
			fmt.Sprintf("PostgreSQL %d is too old", major),
			fmt.Sprintf("upgrade it to %d or newer", oldestPostgreSQL),
		)
	}
	return fine("PostgreSQL %d, at least %d is needed", major, oldestPostgreSQL)
}

func writable(ctx context.Context, x *examination) verdict {
	var standby, readOnly bool
	err := x.Pool.QueryRow(ctx, `SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean`).
		Scan(&standby, &readOnly)
	switch {
	case err != nil:
		return databaseTrouble(err, x.role)
	case standby:
		return fail("this server is a standby: it takes no writes", "point --database-url to the primary")
	case readOnly:
		return fail(
			"transactions are read-only",
			fmt.Sprintf("set default_transaction_read_only to off for the database and for %s", x.role),
		)
	}
	return fine("takes writes")
}

func schemaVersion(ctx context.Context, x *examination) verdict {
	conn, err := x.Pool.Acquire(ctx)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	defer conn.Release()
	status, err := migrations.Read(ctx, conn.Conn())
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	return judgeSchema(status)
}

func judgeSchema(s migrations.Status) verdict {
	switch {
	case s.Current == 0:
		return fail("the database has no schema of Fanfare's", "fanfare migrate up, or correct --database-url")
	case s.Current < s.Latest:
		return fail(fmt.Sprintf("the database is at migration %d of %d", s.Current, s.Latest), "fanfare migrate up")
	case s.Current > s.Latest:
		return warn(
			fmt.Sprintf("the database is at migration %d, this fanfare knows only %d", s.Current, s.Latest),
			"use the newer fanfare that made it",
		)
	}
	return fine("at migration %d, the latest", s.Current)
}
