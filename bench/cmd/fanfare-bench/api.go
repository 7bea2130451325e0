package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/archive"
)

type apiOptions struct {
	databaseFlags
	archive    archive.Options
	clients    int
	duration   time.Duration
	warmUp     time.Duration
	cpuProfile string
}

func newAPI() *cobra.Command {
	return newBenchmark("api",
		"Measure the rate and latency of requests to the HTTP API with a large log",
		&apiOptions{}, measureAPI)
}

func (o *apiOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.archive.Activities, "activities", 1_000_000, "number of activities in the log")
	flags.IntVar(&o.archive.Principals, "principals", 10_000, "number of principals, who take turns")
	flags.IntVar(&o.archive.Resources, "resources", 20_000, "number of resources")
	flags.IntVar(&o.archive.Tenants, "tenants", 10, "number of tenants")
	flags.IntVar(&o.clients, "clients", 8, "number of clients, with one request at a time each")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "duration of the measurement of each route")
	flags.DurationVar(&o.warmUp, "warm-up", 2*time.Second, "duration of the load before each measurement")
	flags.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the server to this file")
	o.databaseFlags.flags(flags)
	o.statementFlags(flags)
}

type apiResult struct {
	Machine    machine        `json:"machine"`
	Loaded     archive.Loaded `json:"loaded"`
	LoadTime   float64        `json:"load_seconds"`
	Clients    int            `json:"clients"`
	Routes     []routeResult  `json:"routes"`
	Statements []statement    `json:"statements,omitempty"`
}

func (r *apiResult) table(w io.Writer) {
	l := r.Loaded
	row(w, fmt.Sprintf("%d clients", r.Clients), "requests/s", "p50", "p99", "max", "errors", "items each",
		"CPU ms each:", "server", "postgres")
	for _, route := range r.Routes {
		row(w, route.Route, fmt.Sprintf("%.0f", route.PerSecond), route.Took.P50, route.Took.P99, route.Took.Max,
			route.Errors, fmt.Sprintf("%.1f", route.Items), "", fmt.Sprintf("%.2f", route.ServerCPU),
			fmt.Sprintf("%.2f", route.PostgresCPU))
	}
	row(w)
	row(w, "database", fmt.Sprintf("%d activities", l.Activities), fmt.Sprintf("%d notifications", l.Notifications),
		fmt.Sprintf("%d principals", l.Principals), fmt.Sprintf("%d resources", l.Resources),
		fmt.Sprintf("%d subscriptions", l.Subscriptions), fmt.Sprintf("%d roles", l.Roles))
	row(w, "loaded in", fmt.Sprintf("%.0f s", r.LoadTime))
	showStatements(w, "statements", r.Statements)
}

// verify returns an error if a request failed.
func (r *apiResult) verify() error {
	var errs []error
	for _, route := range r.Routes {
		if route.Errors > 0 {
			errs = append(errs,
				fmt.Errorf("%s: %d requests failed; the first: %s", route.Route, route.Errors, route.Failure))
		}
	}
	return errors.Join(errs...)
}

func measureAPI(ctx context.Context, o *apiOptions) (result *apiResult, err error) {
	s, err := o.startServers(ctx, archive.Settings())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	db := s.db

	progress("loading %d activities", o.archive.Activities)
	began, world := time.Now(), archive.New(o.archive)
	result = &apiResult{Machine: thisMachine(), Clients: o.clients}
	if result.Loaded, err = world.Load(ctx, db.Pool); err != nil {
		return nil, err
	}
	result.LoadTime = time.Since(began).Seconds()
	progress("loaded in %.0f s", result.LoadTime)

	server, err := startServer(db, s.centrifugo, o.cpuProfile)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	l, err := newLoad(server, world.Principals(), o.clients)
	if err != nil {
		return nil, err
	}
	if err := resetStatements(ctx, db, o.statements); err != nil {
		return nil, err
	}
	for _, route := range loadedRoutes {
		progress("%s for %v", route.name, o.duration)
		if _, err := l.run(ctx, route, o.warmUp); err != nil {
			return nil, err
		}
		measured, err := l.run(ctx, route, o.duration)
		if err != nil {
			return nil, err
		}
		result.Routes = append(result.Routes, measured)
	}
	result.Statements, err = readStatements(ctx, db, o.statements)
	return result, err
}
