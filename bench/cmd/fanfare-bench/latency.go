package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/bench/internal/sockets"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/outbox"
)

type latencyOptions struct {
	workerFlags
	databaseFlags
	output   output
	rate     int
	duration time.Duration
	people   int
	noInbox  bool
}

func newLatency() *cobra.Command {
	var o latencyOptions
	cmd := measuring(
		"latency",
		"How long it takes from a commit to a watcher's socket",
		&o.output,
		func(ctx context.Context) (*latencyResult, error) { return latency(ctx, &o) },
	)
	flags := cmd.Flags()
	o.databaseFlags.flags(flags)
	o.workerFlags.flags(flags)
	flags.IntVar(&o.rate, "rate", 200, "activities a second")
	flags.DurationVar(&o.duration, "duration", 20*time.Second, "for how long")
	flags.IntVar(&o.people, "people", 100, "connected watchers")
	flags.BoolVar(&o.noInbox, "no-inbox", false, "keep no notifications")
	return cmd
}

type latencyResult struct {
	Machine    machine     `json:"machine"`
	Rate       int         `json:"rate"`
	Activities int         `json:"activities"`
	Expected   int         `json:"expected"` // deliveries
	Received   int         `json:"received"` // distinct ones
	Committed  percentiles `json:"since_commit_returned"`
	Sent       percentiles `json:"since_commit_sent"`

	// Where a long delivery was held up: the writers' own commits, the worker's turns, and turns
	// that were rolled back.
	Commits    percentiles `json:"commits"`
	Turns      percentiles `json:"worker_turns"`
	RolledBack int64       `json:"worker_turns_rolled_back"`
}

func (r *latencyResult) table(w io.Writer) {
	row(w, fmt.Sprintf("%d activities at %d/s", r.Activities, r.Rate), "p50", "p99", "max")
	row(w, "since COMMIT returned", r.Committed.P50, r.Committed.P99, r.Committed.Max)
	row(w, "since COMMIT was sent", r.Sent.P50, r.Sent.P99, r.Sent.Max)
	row(w, "COMMIT itself", r.Commits.P50, r.Commits.P99, r.Commits.Max)
	row(w, "the worker's turns", r.Turns.P50, r.Turns.P99, r.Turns.Max)
	row(w, "turns rolled back", r.RolledBack)
	row(w, "deliveries received", fmt.Sprintf("%d of %d", r.Received, r.Expected))
}

// verdict is an error if a delivery is missing.
func (r *latencyResult) verdict() error {
	if r.Received != r.Expected {
		return fmt.Errorf("%d of %d deliveries arrived", r.Received, r.Expected)
	}
	return nil
}

type percentiles struct {
	P50 milliseconds `json:"p50_ms"`
	P99 milliseconds `json:"p99_ms"`
	Max milliseconds `json:"max_ms"`
}

func newPercentiles(values []time.Duration) percentiles {
	if len(values) == 0 {
		return percentiles{}
	}
	slices.Sort(values)
	at := func(q float64) milliseconds { return inMilliseconds(values[int(q*float64(len(values)-1))]) }
	return percentiles{at(0.5), at(0.99), at(1)}
}

// commit is when an activity's transaction ended.
type commit struct{ sent, returned time.Time }

func latency(ctx context.Context, o *latencyOptions) (result *latencyResult, err error) {
	s, err := o.startServers(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	db, server := s.db, s.centrifugo
	world := fixture.New(fixture.Options{People: o.people})
	if err := errors.Join(world.Load(ctx, db.Pool), world.AddThings(ctx, db.Pool)); err != nil {
		return nil, err
	}
	client, err := centrifugo.New(centrifugo.Options{APIURL: server.APIURL(), APIKey: server.APIKey()})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	handler, err := newFanout(client, fanout.Options{NoInbox: o.noInbox})
	if err != nil {
		return nil, err
	}
	var turns turns
	worker, err := startWorker(ctx, db.URL, handler, o.workerFlags, &turns)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, worker.stop()) }()
	audience, err := sockets.Connect(ctx, world, server.WebSocketURL(), server.TokenSecret())
	if err != nil {
		return nil, err
	}
	defer audience.Close()

	progress("%d people are connected; %d activities/s for %v", o.people, o.rate, o.duration)
	commits, err := write(ctx, db, world, o)
	if err != nil {
		return nil, err
	}
	expected := len(commits) * len(world.Resources[0].Watchers)
	audience.Await(ctx, expected, 5*time.Second)
	result = &latencyResult{Machine: thisMachine(), Rate: o.rate, Activities: len(commits), Expected: expected}
	result.measure(commits, audience.Receptions())
	result.Turns, result.RolledBack = turns.percentiles(), turns.rolledBack.Load()
	return result, errors.Join(audience.Failures()...)
}

// write commits at a steady rate, each transaction at its time whether or not those before it are
// done.
func write(
	ctx context.Context,
	db *stack.Database,
	world *fixture.World,
	o *latencyOptions,
) (map[uuid.UUID]commit, error) {
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	commits := map[uuid.UUID]commit{}
	g, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for n := range int(o.duration.Seconds() * float64(o.rate)) {
		resource := world.Resources[random.IntN(len(world.Resources))]
		time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(o.rate))))
		g.Go(func() error {
			var c commit
			id, _, err := resource.Change(ctx, db.Pool, n, func(tx pgx.Tx) error {
				c.sent = time.Now()
				err := tx.Commit(ctx)
				c.returned = time.Now()
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			commits[id] = c
			return err
		})
	}
	return commits, g.Wait()
}

func (r *latencyResult) measure(commits map[uuid.UUID]commit, receptions []sockets.Reception) {
	type delivery struct{ person, activity uuid.UUID }
	seen := map[delivery]bool{}
	var sinceReturned, sinceSent []time.Duration
	for _, got := range receptions {
		c, known := commits[got.Activity]
		key := delivery{got.Person, got.Activity}
		if !known || seen[key] {
			continue
		}
		seen[key] = true
		sinceReturned, sinceSent = append(sinceReturned, got.At.Sub(c.returned)), append(sinceSent, got.At.Sub(c.sent))
	}
	r.Received, r.Committed, r.Sent = len(seen), newPercentiles(sinceReturned), newPercentiles(sinceSent)
	var took []time.Duration
	for _, c := range commits {
		took = append(took, c.returned.Sub(c.sent))
	}
	r.Commits = newPercentiles(took)
}

// turns keeps how long each of a worker's turns took.
type turns struct {
	mu         sync.Mutex
	took       []time.Duration
	rolledBack atomic.Int64
}

// Observe implements outbox.Observer.
func (t *turns) Observe(r outbox.Report) {
	if r.Err != nil {
		t.rolledBack.Add(1)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = append(t.took, r.Took)
}

func (t *turns) percentiles() percentiles {
	t.mu.Lock()
	defer t.mu.Unlock()
	return newPercentiles(t.took)
}
