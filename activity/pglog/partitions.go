package pglog

import (
	"context"
	"fmt"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// EnsurePartitions creates the partitions of fanfare.activities for the current month and the
// coming months where they do not exist, and returns how many it created. It is safe to call
// concurrently.
//
// If it is not called, no activity is lost: activities without a partition go into the default
// partition, and a later call moves them.
func EnsurePartitions(ctx context.Context, db pg.RowQuerier) (created int, err error) {
	if err := db.QueryRow(ctx, `SELECT fanfare.ensure_partitions()`).Scan(&created); err != nil {
		return 0, fmt.Errorf("create the coming months' partitions: %w", err)
	}
	return created, nil
}
