package daemon

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// Intervals between creating partitions, and before a retry after an error.
const (
	partitionsInterval      = time.Hour
	partitionsRetryInterval = 30 * time.Second
)

// createPartitions creates the partitions of the coming months, immediately and then every hour,
// until ctx ends. It returns nil.
func createPartitions(ctx context.Context, pool *pgxpool.Pool, log *zap.Logger) error {
	for {
		interval := partitionsInterval
		created, err := pglog.EnsurePartitions(ctx, pool)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			interval = partitionsRetryInterval
			log.Warn("cannot create partitions", zap.Error(err), zap.Duration("retry_after", interval))
		case created > 0:
			log.Info("created partitions", zap.Int("number", created))
		}
		if wait.Sleep(ctx, interval) != nil {
			return nil
		}
	}
}
