package metrics

import (
	"cmp"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// API counts what is asked of the API and how long the answers take. It is an api.Observer.
type API struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewAPI registers the collectors.
func NewAPI(registry prometheus.Registerer) *API {
	a := &API{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_api_requests_total",
			Help: "Requests answered, by the route's pattern, or none, and the class of the status: 2xx to 5xx, or none when the client was gone.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "fanfare_api_request_duration_seconds",
			Help:    "From the request to the end of the answer, which takes long for a stream.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
	}
	registry.MustRegister(a.requests, a.duration)
	return a
}

// Request counts one answer. route is the route's pattern, or "" where no route matched; status is
// 0 when there was no answer.
func (a *API) Request(route string, status int, took time.Duration) {
	route = cmp.Or(route, "none")
	class := "none"
	if status != 0 {
		class = fmt.Sprintf("%dxx", status/100)
	}
	a.requests.WithLabelValues(route, class).Inc()
	a.duration.WithLabelValues(route).Observe(took.Seconds())
}

// RegisterStreams shows how many clients follow an activity stream.
func RegisterStreams(registry prometheus.Registerer, clients func() int) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fanfare_stream_clients",
		Help: "Clients that follow an activity stream.",
	}, func() float64 { return float64(clients()) }))
}
