package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/internal/standby"
)

// RegisterStandbys exports how far the standbys are that the API reads from.
func RegisterStandbys(registry prometheus.Registerer, states func() []standby.State) {
	for i, state := range states() {
		labels := prometheus.Labels{"standby": state.Name}
		registry.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name:        "fanfare_standby_usable",
				Help:        "Whether reads go to the standby (1), or to the primary instead (0).",
				ConstLabels: labels,
			}, func() float64 {
				if states()[i].Usable {
					return 1
				}
				return 0
			}),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name:        "fanfare_standby_lag_seconds",
				Help:        "Maximum age of what the standby does not show yet; 0 if it is unknown.",
				ConstLabels: labels,
			}, func() float64 { return states()[i].Lag.Seconds() }),
		)
	}
}
