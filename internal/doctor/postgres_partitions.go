package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// monthsAhead is how many months' partitions there are beside this one's when they are looked
// after.
const monthsAhead = 3

func partitions(ctx context.Context, x *examination) verdict {
	rows, err := x.Pool.Query(ctx, `
		SELECT m.part FROM (
		    SELECT to_char(now() AT TIME ZONE 'UTC' + make_interval(months => i), '"activities_y"YYYY"m"MM') AS part FROM generate_series(0, $1::int) AS i) AS m
		WHERE NOT EXISTS (
		    SELECT FROM pg_inherits AS h WHERE h.inhparent = to_regclass('fanfare.activities') AND h.inhrelid = to_regclass('fanfare.' || m.part))
		ORDER BY m.part`, monthsAhead)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	stray, err := strayActivities(ctx, x)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	return judgePartitions(missing, stray)
}

// strayActivities tells whether the default partition holds any. Rights on the log are none on its
// partitions, so a role that may not look into it goes by its size.
func strayActivities(ctx context.Context, x *examination) (stray bool, err error) {
	err = x.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM fanfare.activities_default)`).Scan(&stray)
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == "42501" {
		err = x.Pool.QueryRow(ctx, `SELECT pg_relation_size('fanfare.activities_default') > 0`).Scan(&stray)
	}
	return stray, err
}

func judgePartitions(missing []string, stray bool) verdict {
	const remedy = "keep fanfare worker running, which makes them at its start and every hour, or SELECT fanfare.ensure_partitions();"
	switch {
	case len(missing) > 0:
		return fail(fmt.Sprintf("the log lacks the partitions %s", strings.Join(missing, ", ")), remedy)
	case stray:
		return warn("the log's default partition holds activities, which slows down the making of new partitions",
			"SELECT fanfare.ensure_partitions(); and see which months are in fanfare.activities_default")
	}
	return fine("this month's and the next %d are there, the default partition is empty", monthsAhead)
}
