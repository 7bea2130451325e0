package main

import (
	"context"
	"time"

	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/metrics"
)

// retentionConnections is how many connections the loop of retention takes a daemon.
func retentionConnections(c *Config) int {
	if c.RetentionInterval == 0 {
		return 0
	}
	return 1
}

// retain adds the loop that removes what has had its time. Of all workers on a database, one at a
// time does.
func (d *daemon) retain(c *Config) {
	if c.RetentionInterval == 0 {
		return
	}
	runner := retention.NewRunner(d.pool, retention.Options{Logger: d.log, Observer: metrics.NewRetention(d.registry)})
	d.actors = append(d.actors, func(ctx context.Context) error { return runner.Loop(ctx, c.RetentionInterval) })
}

// retentionSettings are those of retention, which goes with delivering.
func retentionSettings() []setting {
	f := parsed(
		"duration",
		"must be 0 or a duration from 1m0s to 168h0m0s, such as 1h",
		func(c *Config) *time.Duration { return &c.RetentionInterval },
		time.ParseDuration,
		func(d time.Duration) bool { return d == 0 || time.Minute <= d && d <= 7*24*time.Hour },
		time.Duration.String,
	)
	return []setting{
		{
			"retention-interval",
			"1h0m0s",
			"how often what has had its time is removed, by one of all workers; 0 is never",
			f,
		},
	}
}
