package metrics_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/activity/besteffort"
	"github.com/fanfarehq/fanfare/internal/metrics"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	var s besteffort.Stats
	metrics.RegisterRecords(registry, func() besteffort.Stats { return s })
	wantLines(t, registry, `fanfare_records_total{result="created"} 0`)
	wantLines(t, registry, `fanfare_records_dropped_total{reason="full"} 0`)
	s = besteffort.Stats{
		Recorded:   1,
		Duplicates: 2,
		Waiting:    3,
		Dropped:    besteffort.Drops{Full: 4, Invalid: 5, Vetoed: 6, Failed: 7, Stopped: 8},
	}
	wantLines(t, registry,
		`fanfare_records_total{result="created"} 1`,
		`fanfare_records_total{result="duplicate"} 2`,
		`fanfare_records_queued 3`,
		`fanfare_records_dropped_total{reason="full"} 4`,
		`fanfare_records_dropped_total{reason="invalid"} 5`,
		`fanfare_records_dropped_total{reason="vetoed"} 6`,
		`fanfare_records_dropped_total{reason="failed"} 7`,
		`fanfare_records_dropped_total{reason="stopped"} 8`,
	)
}
