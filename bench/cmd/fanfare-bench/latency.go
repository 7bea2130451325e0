package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/outbox"
)

type latencyOptions struct {
	workerFlags
	databaseFlags
	rate     int
	duration time.Duration
	people   int
	noInbox  bool
}

func newLatency() *cobra.Command {
	return newBenchmark("latency",
		"Measure the time from a commit to a watcher's socket",
		&latencyOptions{}, measureLatency)
}

func (o *latencyOptions) flags(flags *pflag.FlagSet) {
	o.databaseFlags.flags(flags)
	o.workerFlags.flags(flags)
	flags.IntVar(&o.rate, "rate", 200, "activities a second")
	flags.DurationVar(&o.duration, "duration", 20*time.Second, "duration of the measurement")
	flags.IntVar(&o.people, "people", 100, "number of connected watchers")
	flags.BoolVar(&o.noInbox, "no-inbox", false, "do not write notifications")
}

type latencyResult struct {
	Machine    machine     `json:"machine"`
	Rate       int         `json:"rate"`
	Activities int         `json:"activities"`
	Expected   int         `json:"expected"` // deliveries
	Received   int         `json:"received"` // distinct ones
	Committed  percentiles `json:"since_commit_returned"`
	Sent       percentiles `json:"since_commit_sent"`

	// The possible causes of a slow delivery: the writers' commits, the worker's claims, and
	// transactions that were rolled back.
	Commits    percentiles `json:"commits"`
	Claims     percentiles `json:"worker_claims"`
	RolledBack int64       `json:"worker_claims_rolled_back"`
}

func (r *latencyResult) table(w io.Writer) {
	row(w, fmt.Sprintf("%d activities at %d/s", r.Activities, r.Rate), "p50", "p99", "max")
	row(w, "since COMMIT returned", r.Committed.P50, r.Committed.P99, r.Committed.Max)
	row(w, "since COMMIT was sent", r.Sent.P50, r.Sent.P99, r.Sent.Max)
	row(w, "COMMIT itself", r.Commits.P50, r.Commits.P99, r.Commits.Max)
	row(w, "worker claims", r.Claims.P50, r.Claims.P99, r.Claims.Max)
	row(w, "rolled back", r.RolledBack)
	row(w, "deliveries received", fmt.Sprintf("%d of %d", r.Received, r.Expected))
}

// verify returns an error if a delivery is missing.
func (r *latencyResult) verify() error {
	if r.Received != r.Expected {
		return fmt.Errorf("%d of %d deliveries arrived", r.Received, r.Expected)
	}
	return nil
}

// awaitReceived returns when every activity is delivered and every client has received what it
// receives.
func awaitReceived(ctx context.Context, db *stack.Database, set *clients.Set) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := acceptance.AwaitDelivered(ctx, db.Pool); err != nil {
		return err
	}
	return set.Barrier(ctx)
}

type percentiles = acceptance.Percentiles

func measureLatency(ctx context.Context, o *latencyOptions) (result *latencyResult, err error) {
	s, err := o.startServers(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	return latencyOf(ctx, s.db, s.centrifugo, o)
}

// latencyOf measures with a database and a Centrifugo.
func latencyOf(
	ctx context.Context, db *stack.Database, server acceptance.Nodes, o *latencyOptions,
) (result *latencyResult, err error) {
	world := fixture.New(fixture.Options{People: o.people})
	err = errors.Join(world.Load(ctx, db.Pool), world.AddThings(ctx, db.Pool), fillLog(ctx, db, world))
	if err != nil {
		return nil, err
	}
	client, err := centrifugo.New(centrifugo.Options{APIURL: server.APIURLs(), APIKey: server.APIKey()})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	handler, err := newFanout(client, fanout.Options{NoInbox: o.noInbox})
	if err != nil {
		return nil, err
	}
	if err := connect(ctx, client, false); err != nil {
		return nil, err
	}
	var batches batches
	worker, err := startWorker(ctx, db.URL, handler, o.workerFlags, &batches)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, worker.stop()) }()
	set, closeAll, err := acceptance.Connect(ctx, server, world.Principals(), acceptance.ConnectOptions{})
	if err != nil {
		return nil, err
	}
	defer closeAll()

	warmUp := &bystanders{db: db, resources: world.Resources, set: set, rate: o.rate}
	if _, err := warmUp.during(ctx, nothingFor(warmUpTime)); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	batches.reset()
	progress("%d clients are connected; %d activities/s for %v", o.people, o.rate, o.duration)
	rate := acceptance.Rate{PerSecond: o.rate, Duration: o.duration}
	commits, err := commitAtRate(ctx, db, world.Resources, rate)
	if err != nil {
		return nil, err
	}
	expected := len(commits) * len(world.Resources[0].Watchers)
	if err := awaitReceived(ctx, db, set); err != nil {
		return nil, err
	}
	result = &latencyResult{Machine: thisMachine(), Rate: o.rate, Activities: len(commits), Expected: expected}
	result.measure(commits, set)
	result.Claims, result.RolledBack = batches.percentiles(), batches.rolledBack.Load()
	return result, errors.Join(set.Failures()...)
}

func (r *latencyResult) measure(commits commitTimes, set *clients.Set) {
	arrived := arrivalsOf(commits, set)
	r.Received, r.Sent, r.Committed = arrived.received, arrived.sent, arrived.returned
	r.Commits = commits.percentiles()
}

// batches records the durations of a worker's claims.
type batches struct {
	mu         sync.Mutex
	took       []time.Duration
	rolledBack atomic.Int64
}

// Observe implements outbox.Observer.
func (t *batches) Observe(r outbox.Report) {
	if r.Err != nil {
		t.rolledBack.Add(1)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = append(t.took, r.Took)
}

// reset forgets the transactions so far.
func (t *batches) reset() {
	t.rolledBack.Store(0)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = nil
}

func (t *batches) percentiles() percentiles {
	t.mu.Lock()
	defer t.mu.Unlock()
	return acceptance.NewPercentiles(t.took)
}
