package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/archive"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
)

// loadedRoute is a route to measure.
type loadedRoute struct {
	name, method, path string
	body               func(random *rand.Rand) []byte // nil: none
}

var loadedRoutes = []loadedRoute{
	{name: "GET /v1/notifications", method: http.MethodGet, path: "/notifications"},
	{name: "GET /v1/notifications/counts", method: http.MethodGet, path: "/notifications/counts"},
	{name: "GET /v1/activities", method: http.MethodGet, path: "/activities"},
	{
		name:   "PUT /v1/notifications/preferences",
		method: http.MethodPut,
		path:   "/notifications/preferences",
		body:   somePreferences,
	},
}

func somePreferences(random *rand.Rand) []byte {
	bodies := []string{
		`{"filter_mode":"all"}`,
		`{"filter_mode":"mutations","muted":false}`,
		`{"filter_mode":"custom","custom_actions":["transfer.*","signal.*","comment.created"]}`,
		`{"muted":true}`,
	}
	return []byte(bodies[random.IntN(len(bodies))])
}

// routeResult is the result of one route.
type routeResult struct {
	Route       string      `json:"route"`
	Requests    int         `json:"requests"`
	PerSecond   float64     `json:"requests_per_second"`
	Took        percentiles `json:"took"`
	Errors      int         `json:"errors"`
	Failure     string      `json:"failure,omitempty"` // the first one
	Items       float64     `json:"items_per_answer"`
	ServerCPU   float64     `json:"server_cpu_ms_per_request"`
	PostgresCPU float64     `json:"postgres_cpu_ms_per_request"`
}

// load is a set of clients with a connection each. The principals take turns, so that each sends as
// few requests as possible.
type load struct {
	server  *apiServer
	client  *http.Client
	clients int
	tokens  []string // one for each principal, in random order

	mu   sync.Mutex
	next int
}

func newLoad(server *apiServer, principals []archive.Principal, clients int) (*load, error) {
	l := &load{server: server, clients: clients, client: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true},
	}}
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(principals)) {
		token, err := server.token(activity.Principal{TenantID: principals[i].Tenant, PrincipalID: principals[i].ID})
		if err != nil {
			return nil, err
		}
		l.tokens = append(l.tokens, token)
	}
	return l, nil
}

func (l *load) token() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	return l.tokens[l.next%len(l.tokens)]
}

// run sends requests to a route for a duration.
func (l *load) run(ctx context.Context, route loadedRoute, duration time.Duration) (routeResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu     sync.Mutex
		took   []time.Duration
		result = routeResult{Route: route.name}
		items  int
	)
	before, err := l.server.usage()
	if err != nil {
		return result, err
	}
	cpu, began := stack.ReadCPU(), time.Now()
	var g errgroup.Group
	for i := range l.clients {
		random := rand.New(rand.NewPCG(2, uint64(i)))
		g.Go(func() error {
			for time.Since(began) < duration && ctx.Err() == nil {
				start := time.Now()
				n, err := l.request(ctx, route, random)
				elapsed := time.Since(start)
				mu.Lock()
				took = append(took, elapsed)
				items += n
				if err != nil {
					if result.Errors++; result.Failure == "" {
						result.Failure = err.Error()
					}
				}
				mu.Unlock()
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return result, err
	}
	seconds := time.Since(began).Seconds()
	after, err := l.server.usage()
	if err != nil {
		return result, err
	}
	n := float64(len(took))
	result.Requests, result.PerSecond, result.Items = len(took), n/seconds, float64(items)/n
	result.Took = acceptance.NewPercentiles(took)
	result.ServerCPU = (after.CPU - before.CPU).Seconds() * 1000 / n
	result.PostgresCPU = stack.ReadCPU().Since(cpu).Postgres.Seconds() * 1000 / n
	return result, nil
}

// ask sends one request, reads the response, and counts its items.
func (l *load) request(ctx context.Context, route loadedRoute, random *rand.Rand) (items int, err error) {
	var body io.Reader
	if route.body != nil {
		body = bytes.NewReader(route.body(random))
	}
	request, err := http.NewRequestWithContext(ctx, route.method, l.server.url+route.path, body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+l.token())
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := l.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return 0, err
	case response.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("%s: %.300s", response.Status, text)
	case !json.Valid(text):
		return 0, fmt.Errorf("not JSON: %.300s", text)
	}
	return bytes.Count(text, []byte(`"event_id"`)), nil
}
