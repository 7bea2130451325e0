package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// RegisterProcess exports the version, and the metrics of the Go runtime and of the process.
func RegisterProcess(registry prometheus.Registerer, version string) {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "fanfare_build_info",
		Help:        "Always 1, with the versions of Fanfare and of Go as labels.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	registry.MustRegister(
		build,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
}

// RegisterProgress exports the time of the worker's last completed probe or claim, which last
// returns.
func RegisterProgress(registry prometheus.Registerer, last func() time.Time) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fanfare_worker_last_progress_timestamp_seconds",
		Help: "Unix time of the last completed probe or claim; 0 before the first.",
	}, func() float64 {
		t := last()
		if t.IsZero() {
			return 0
		}
		return float64(t.UnixNano()) / 1e9
	}))
}

// RegisterDependencies exports the state of each named dependency of the daemon. diagnostics
// returns, by name, the diagnostics of the dependencies that are not up.
func RegisterDependencies(
	registry prometheus.Registerer,
	names []string,
	diagnostics func() map[string][]string,
) {
	for _, name := range names {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "fanfare_dependency_up",
			Help:        "Whether the last check of the dependency succeeded (1) or failed (0).",
			ConstLabels: prometheus.Labels{"dependency": name},
		}, func() float64 {
			if _, down := diagnostics()[name]; down {
				return 0
			}
			return 1
		}))
	}
}
