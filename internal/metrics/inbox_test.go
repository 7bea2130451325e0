package metrics_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/internal/metrics"
)

func TestInbox(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	i := metrics.NewInbox(registry)
	wantLines(t, registry, `fanfare_notifications_returned_total 0`)
	i.Observe(0)
	i.Observe(3)
	i.Observe(4)
	wantLines(t, registry, `fanfare_notifications_returned_total 7`)
}
