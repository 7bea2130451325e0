package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// monthsAhead is the number of future months for which the worker keeps partitions.
const monthsAhead = 3

func checkPartitions(ctx context.Context, x *examination) finding {
	rows, err := x.Pool.Query(ctx, `
		SELECT m.partition
		FROM (
		    SELECT to_char(
		               now() AT TIME ZONE 'UTC' + make_interval(months => i), '"activities_y"YYYY"m"MM'
		           ) AS partition
		    FROM generate_series(0, $1::int) AS i
		) AS m
		WHERE NOT EXISTS (
		    SELECT FROM pg_inherits AS h
		    WHERE h.inhparent = to_regclass('fanfare.activities')
		      AND h.inhrelid = to_regclass('fanfare.' || m.partition)
		)
		ORDER BY m.partition`, monthsAhead)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return databaseFailure(err, x.role)
	}
	defaultUsed, err := defaultPartitionUsed(ctx, x)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluatePartitions(missing, defaultUsed)
}

// defaultPartitionUsed reports whether the default partition holds activities. Privileges on the
// log do not extend to its partitions; a role that cannot read the partition judges by its size.
func defaultPartitionUsed(ctx context.Context, x *examination) (used bool, err error) {
	err = x.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM fanfare.activities_default)`).Scan(&used)
	const insufficientPrivilege = "42501"
	if reported := (*pgconn.PgError)(nil); errors.As(err, &reported) && reported.Code == insufficientPrivilege {
		err = x.Pool.QueryRow(ctx, `SELECT pg_relation_size('fanfare.activities_default') > 0`).Scan(&used)
	}
	return used, err
}

func evaluatePartitions(missing []string, defaultUsed bool) finding {
	const remedy = "keep fanfare worker running, which creates partitions at its start and every hour, " +
		"or SELECT fanfare.ensure_partitions();"
	switch {
	case len(missing) > 0:
		return failure("the log has no partitions "+strings.Join(missing, ", "), remedy)
	case defaultUsed:
		return warning(
			"the log's default partition holds activities, which slows down the creation of partitions",
			"SELECT fanfare.ensure_partitions(); and find out which months are in fanfare.activities_default",
		)
	}
	return passed("the partitions of this month and of the next %d exist; the default partition is empty", monthsAhead)
}
