package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/metrics"
)

func TestRetention(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	r := metrics.NewRetention(registry)
	wantLines(t, registry,
		`fanfare_retention_removed_total{kind="activities"} 0`,
		`fanfare_retention_runs_total{result="failed"} 0`,
		`fanfare_retention_last_run_timestamp_seconds 0`,
	)
	r.Observe(retention.Report{
		Removed: retention.Counts{
			Activities:      7,
			Notifications:   6,
			IdempotencyKeys: 5,
			DeadLetters:     4,
			Parked:          3,
			ServiceTokens:   2,
		},
		Partitions: []string{"a", "b"}, Busy: []string{"c"}, Err: errors.New("broken"), Took: 2 * time.Second,
	})
	r.Observe(retention.Report{Err: fmt.Errorf("purge activities: %w", context.Canceled)})
	wantLines(t, registry,
		`fanfare_retention_removed_total{kind="activities"} 7`,
		`fanfare_retention_removed_total{kind="notifications"} 6`,
		`fanfare_retention_removed_total{kind="idempotency_keys"} 5`,
		`fanfare_retention_removed_total{kind="dead_letters"} 4`,
		`fanfare_retention_removed_total{kind="parked"} 3`,
		`fanfare_retention_removed_total{kind="service_tokens"} 2`,
		`fanfare_retention_partitions_dropped_total 2`,
		`fanfare_retention_partitions_skipped_total 1`,
		`fanfare_retention_runs_total{result="completed"} 0`,
		`fanfare_retention_runs_total{result="failed"} 1`,
		`fanfare_retention_runs_total{result="canceled"} 1`,
		`fanfare_retention_run_duration_seconds_count 2`,
		`fanfare_retention_last_run_timestamp_seconds 0`,
	)
}
