package doctor

import (
	"context"
	"fmt"
)

// room is how many connections there can be, and are, by the limit that leaves the least: the
// server's, the role's or the database's.
type room struct{ most, used int }

func connections(ctx context.Context, x *examination) verdict {
	var r room
	err := x.Pool.QueryRow(ctx, `
		WITH others AS (
		    SELECT usename, datname FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
		)
		SELECT most, used
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
		) AS limits(most, used)
		ORDER BY most - used
		LIMIT 1`).Scan(&r.most, &r.used)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	return judgeConnections(r, x.Connections)
}

func judgeConnections(r room, wanted int) verdict {
	const remedy = "raise max_connections (and the CONNECTION LIMIT of the role and the database), or lower --workers"
	switch {
	case wanted > r.most:
		return fail(fmt.Sprintf("a worker opens up to %d connections, PostgreSQL allows %d", wanted, r.most), remedy)
	case r.used+wanted > r.most:
		return warn(
			fmt.Sprintf(
				"a worker opens up to %d connections; of the %d that PostgreSQL allows %d are in use",
				wanted,
				r.most,
				r.used,
			),
			remedy,
		)
	}
	return fine("a worker opens up to %d; %d of %d are in use", wanted, r.used, r.most)
}
