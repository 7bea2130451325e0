package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/fanfarehq/fanfare/migrations"
)

func checkReachable(ctx context.Context, x *examination) finding {
	var database, version string
	err := x.Pool.QueryRow(ctx, `
		SELECT quote_ident(current_user), current_database(), current_setting('server_version')`).
		Scan(&x.role, &database, &version)
	if err != nil {
		return databaseFailure(err, "")
	}
	server := x.Pool.Config().ConnConfig
	return passed("PostgreSQL %s at %s:%d, database %s, role %s", version, server.Host, server.Port, database, x.role)
}

// minPostgreSQL is the oldest supported major version.
const minPostgreSQL = 15

func checkServerVersion(ctx context.Context, x *examination) finding {
	var major int
	err := x.Pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int / 10000`).Scan(&major)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluateServerVersion(major)
}

func evaluateServerVersion(major int) finding {
	if major < minPostgreSQL {
		return failure(
			fmt.Sprintf("PostgreSQL %d is too old", major),
			fmt.Sprintf("upgrade PostgreSQL to version %d or later", minPostgreSQL),
		)
	}
	return passed("PostgreSQL %d; version %d or later is required", major, minPostgreSQL)
}

func checkWritable(ctx context.Context, x *examination) finding {
	var standby, readOnly bool
	err := x.Pool.QueryRow(ctx, `SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean`).
		Scan(&standby, &readOnly)
	switch {
	case err != nil:
		return databaseFailure(err, x.role)
	case standby:
		return failure("the server is a standby, which accepts no writes", "point --database-url to the primary")
	case readOnly:
		return failure(
			"transactions are read-only",
			fmt.Sprintf("set default_transaction_read_only to off for the database and for %s", x.role),
		)
	}
	return passed("the database accepts writes")
}

func checkSchemaVersion(ctx context.Context, x *examination) finding {
	conn, err := x.Pool.Acquire(ctx)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	defer conn.Release()
	status, err := migrations.Read(ctx, conn.Conn())
	if err != nil {
		return databaseFailure(err, x.role)
	}
	x.schema = status
	return evaluateSchemaVersion(status)
}

func evaluateSchemaVersion(s migrations.Status) finding {
	if problem, ok := errors.AsType[*migrations.IncompatibleError](s.Compatible()); ok {
		if s.Current == 0 {
			return failure("the database has no schema of Fanfare", problem.Remedy())
		}
		return failure(problem.Problem(), problem.Remedy())
	}
	switch {
	case s.Current < s.Latest:
		return warning(
			fmt.Sprintf("the database is at migration %d of %d; this program works without the others",
				s.Current, s.Latest),
			"run fanfare migrate up",
		)
	case s.Current > s.Latest:
		return warning(
			fmt.Sprintf("the database is at migration %d, with which this program works; it has migrations up to %d",
				s.Current, s.Latest),
			"replace this program by the fanfare that migrated the database",
		)
	}
	return passed("the database is at migration %d, the latest", s.Current)
}
