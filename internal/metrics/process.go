package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// RegisterProcess shows the version, the Go runtime and the process.
func RegisterProcess(registry prometheus.Registerer, version string) {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "fanfare_build_info",
		Help:        "Always 1; the labels say which version runs.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	registry.MustRegister(
		build,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
}

// RegisterProgress shows when the worker last got through a look at the outbox or a claim; 0 before
// the first.
func RegisterProgress(registry prometheus.Registerer, last func() time.Time) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fanfare_last_progress_timestamp_seconds",
		Help: "When a look at the outbox or a claim was last completed, in Unix time; 0 before the first.",
	}, func() float64 {
		t := last()
		if t.IsZero() {
			return 0
		}
		return float64(t.UnixNano()) / 1e9
	}))
}

// RegisterParts shows for each named part of the daemon whether it is up. wrong holds those that
// are not, whatever is said of them.
func RegisterParts(registry prometheus.Registerer, names []string, wrong func() map[string][]string) {
	for _, name := range names {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "fanfare_dependency_up",
			Help:        "Whether what the daemon depends on was in order when last checked, 1 or 0.",
			ConstLabels: prometheus.Labels{"dependency": name},
		}, func() float64 {
			if _, down := wrong()[name]; down {
				return 0
			}
			return 1
		}))
	}
}
