package metrics

import (
	"cmp"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// API counts the requests of the HTTP API and measures their durations. It implements api.Observer.
type API struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	recorded *prometheus.CounterVec
}

// NewAPI registers the collectors.
func NewAPI(registry prometheus.Registerer) *API {
	a := &API{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_api_requests_total",
			Help: "Requests by route pattern, or none, and status class, or none if the client disconnected.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "fanfare_api_request_duration_seconds",
			Help:    "Time from the start of a request to the end of its response; for streams, until they end.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		recorded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_api_activities_total",
			Help: "Activities recorded over HTTP, by result: created, existing or refused.",
		}, []string{"result"}),
	}
	registry.MustRegister(a.requests, a.duration, a.recorded)
	return a
}

// Request counts one request. route is the pattern of its route, or "" if none matched; status is 0
// if there was no response.
func (a *API) Request(route string, status int, took time.Duration) {
	route = cmp.Or(route, "none")
	class := "none"
	if status != 0 {
		class = fmt.Sprintf("%dxx", status/100)
	}
	a.requests.WithLabelValues(route, class).Inc()
	a.duration.WithLabelValues(route).Observe(took.Seconds())
}

// Recorded counts activities that a request recorded, and violations.
func (a *API) Recorded(created, existing, violations int) {
	a.recorded.WithLabelValues("created").Add(float64(created))
	a.recorded.WithLabelValues("existing").Add(float64(existing))
	a.recorded.WithLabelValues("refused").Add(float64(violations))
}

// RegisterStreams exports the number of clients of the activity streams, which clients returns.
func RegisterStreams(registry prometheus.Registerer, clients func() int) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fanfare_stream_clients",
		Help: "Clients connected to an activity stream.",
	}, func() float64 { return float64(clients()) }))
}
