package retention

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// dropTimeout bounds the statement that drops a partition.
const dropTimeout = `SELECT set_config('statement_timeout', '15min', true)`

// dropPartitions drops the partitions in which every activity has expired, oldest first.
func (r *run) dropPartitions(ctx context.Context) error {
	names, err := expiredPartitions(ctx, r.pool)
	if err != nil {
		return err
	}
	for i, name := range names {
		dropped, err := r.dropPartition(ctx, name)
		if err != nil {
			return err
		}
		if dropped == nil {
			// The next one would wait for the same lock.
			r.Busy = append(r.Busy, names[i:]...)
			return nil
		}
		if *dropped {
			r.Partitions = append(r.Partitions, name)
		}
		r.reportProgress("partitions")
	}
	return nil
}

// dropPartition reports whether it dropped the partition; nil means that the log was locked.
func (r *run) dropPartition(ctx context.Context, name string) (dropped *bool, err error) {
	for range r.dropTries {
		began := time.Now()
		var activities, keys int64
		err := pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, dropTimeout); err != nil {
				return err
			}
			return tx.QueryRow(ctx, `SELECT dropped, removed, keys FROM fanfare.drop_partition($1, $2)`, r.RunID, name).
				Scan(&dropped, &activities, &keys)
		})
		if err != nil {
			return nil, fmt.Errorf("drop partition %s: %w", name, err)
		}
		r.Removed.IdempotencyKeys += keys
		if dropped != nil {
			if *dropped {
				r.Removed.Activities += activities
			}
			return dropped, nil
		}
		if err := wait.Sleep(ctx, min(time.Since(began), maxPause)); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// expiredPartitions returns the partitions in which every activity has expired, oldest first.
func expiredPartitions(ctx context.Context, db pg.Querier) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rows, err := db.Query(ctx, `
		SELECT p.part::text
		FROM fanfare.activity_partitions() AS p
		WHERE fanfare.partition_is_removable(p.part)
		ORDER BY p.low`)
	if err != nil {
		return nil, fmt.Errorf("list the expired partitions: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list the expired partitions: %w", err)
	}
	return names, nil
}

// EnsurePartition creates the partition of a time's month if it does not exist, and reports whether
// it did. It serves past months, before activities of that time are imported;
// pglog.EnsurePartitions serves the coming months.
func EnsurePartition(ctx context.Context, db pg.RowQuerier, at time.Time) (created bool, err error) {
	if err := db.QueryRow(ctx, `SELECT fanfare.ensure_partition($1)`, at).Scan(&created); err != nil {
		return false, fmt.Errorf("create the partition of %s: %w", at.UTC().Format("2006-01"), err)
	}
	return created, nil
}
