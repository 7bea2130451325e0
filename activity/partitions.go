package activity

import (
	"context"
	"fmt"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// EnsurePartitions makes the partitions of this month's activities and of the next months', where
// they are missing, and returns how many it made. It is safe to call from many places at once.
// Without it nothing is lost: activities then gather in the default partition, from which a later
// call moves them.
func EnsurePartitions(ctx context.Context, db pg.RowQuerier) (made int, err error) {
	if err := db.QueryRow(ctx, `SELECT fanfare.ensure_partitions()`).Scan(&made); err != nil {
		return 0, fmt.Errorf("make the coming months' partitions: %w", err)
	}
	return made, nil
}
