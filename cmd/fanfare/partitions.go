package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// How often the coming months' partitions are looked after, and how soon again after a failure.
const (
	partitionsEvery = time.Hour
	partitionsRetry = 30 * time.Second
)

// keepPartitions makes the coming months' partitions, at once and then every hour, until ctx ends.
func keepPartitions(ctx context.Context, pool *pgxpool.Pool, log *zap.Logger) error {
	for {
		pause := partitionsEvery
		made, err := activity.EnsurePartitions(ctx, pool)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			pause = partitionsRetry
			log.Warn("partitions are not looked after", zap.Error(err), zap.Duration("next_try_in", pause))
		case made > 0:
			log.Info("partitions were made", zap.Int("number", made))
		}
		if wait.Sleep(ctx, pause) != nil {
			return nil
		}
	}
}
