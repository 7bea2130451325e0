package doctor

import (
	"context"
	"fmt"
)

// connectionUse is the strictest limit of connections (the server's, the role's or the database's)
// and the number of connections that count against it.
type connectionUse struct{ limit, used int }

func checkConnections(ctx context.Context, x *examination) finding {
	var u connectionUse
	err := x.Pool.QueryRow(ctx, `
		WITH others AS (
		    SELECT usename, datname FROM pg_stat_activity
		    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
		)
		SELECT max_connections, used
		FROM (
		    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
		               - coalesce(current_setting('reserved_connections', true)::int, 0),
		           (SELECT count(*) FROM others)
		    UNION ALL
		    SELECT rolconnlimit, (SELECT count(*) FROM others WHERE usename = current_user)
		    FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0
		    UNION ALL
		    SELECT datconnlimit, (SELECT count(*) FROM others WHERE datname = current_database())
		    FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0
		) AS limits(max_connections, used)
		ORDER BY max_connections - used
		LIMIT 1`).Scan(&u.limit, &u.used)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluateConnections(u, x.Connections)
}

// evaluateConnections compares the connections that a worker opens with those that are available.
func evaluateConnections(u connectionUse, wanted int) finding {
	const remedy = "raise max_connections and the CONNECTION LIMIT of the role and the database, or lower --workers"
	switch {
	case wanted > u.limit:
		return failure(
			fmt.Sprintf("a worker opens up to %d connections; PostgreSQL allows %d", wanted, u.limit),
			remedy,
		)
	case u.used+wanted > u.limit:
		return warning(
			fmt.Sprintf("a worker opens up to %d connections; %d of %d are in use", wanted, u.used, u.limit),
			remedy,
		)
	}
	return passed("a worker opens up to %d connections; %d of %d are in use", wanted, u.used, u.limit)
}
