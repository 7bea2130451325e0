package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// commitTimes are the times of the commits of activities.
type commitTimes map[uuid.UUID]acceptance.CommitTimes

// percentiles returns the durations of the commits.
func (c commitTimes) percentiles() percentiles {
	took := make([]time.Duration, 0, len(c))
	for _, times := range c {
		took = append(took, times.Returned.Sub(times.Sent))
	}
	return acceptance.NewPercentiles(took)
}

// commitAtRate commits changes of random resources at a steady rate.
func commitAtRate(
	ctx context.Context, db *stack.Database, resources []*fixture.Resource, rate acceptance.Rate,
) (commitTimes, error) {
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	commits := commitTimes{}
	err := acceptance.AtRate(ctx, rate, func(n int) func(context.Context) error {
		resource := resources[random.IntN(len(resources))]
		return func(ctx context.Context) error {
			var times acceptance.CommitTimes
			recorded, err := resource.Change(ctx, db.Pool, n, func(tx pgx.Tx) error {
				times.Sent = time.Now()
				err := tx.Commit(ctx)
				times.Returned = time.Now()
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			commits[recorded.ID] = times
			return err
		}
	})
	return commits, err
}

// arrivals are the distinct deliveries of activities to clients, and their times since the commit
// was sent and since it returned.
type arrivals struct {
	received       int
	sent, returned percentiles
}

// arrivalsOf returns the arrivals of the commits' activities since the set was drained last.
func arrivalsOf(commits commitTimes, set *clients.Set) arrivals {
	var a arrivals
	var sinceSent, sinceReturned []time.Duration
	for _, client := range set.Drain() {
		seen := map[uuid.UUID]bool{}
		for _, got := range client.Receptions {
			c, known := commits[got.Activity]
			if !known || seen[got.Activity] {
				continue
			}
			seen[got.Activity] = true
			sinceSent = append(sinceSent, got.At.Sub(c.Sent))
			sinceReturned = append(sinceReturned, got.At.Sub(c.Returned))
		}
		a.received += len(seen)
	}
	a.sent, a.returned = acceptance.NewPercentiles(sinceSent), acceptance.NewPercentiles(sinceReturned)
	return a
}

// earlierActivities is the number of activities in a log that fillLog fills.
const earlierActivities = 20_000

// fillLog records activities that are not delivered, and analyzes the log. A statement that is
// planned while the log is empty may read it by any index, since they all cost the same.
func fillLog(ctx context.Context, db *stack.Database, world *fixture.World) error {
	progress("recording %d earlier activities", earlierActivities)
	if _, err := world.Record(ctx, db.Pool, earlierActivities); err != nil {
		return err
	}
	if err := db.Exec(ctx, "TRUNCATE fanfare.outbox"); err != nil {
		return err
	}
	return db.Settle(ctx, "fanfare.activities", "fanfare.outbox")
}

// bystanders are resources whose activities are timed on their way to their watchers' sockets while
// something else happens.
type bystanders struct {
	db        *stack.Database
	resources []*fixture.Resource
	set       *clients.Set
	rate      int // activities a second

	committed int // activities so far
}

// publications is the number of publications of the activities so far: for each, one to each
// watcher and one to its resource.
func (b *bystanders) publications() int64 {
	return int64(b.committed * (len(b.resources[0].Watchers) + 1))
}

// timed is the deliveries of the activities that were committed while something happened.
type timed struct {
	Seconds    float64     `json:"seconds"`
	Activities int         `json:"activities"`
	Sent       percentiles `json:"since_commit_sent"`
	Returned   percentiles `json:"since_commit_returned"`
	Commits    percentiles `json:"commits"`
}

// during commits activities of the bystanders at their rate while an event happens. It returns when
// they are delivered, and fails if a delivery is missing.
func (b *bystanders) during(ctx context.Context, event func(ctx context.Context) error) (t timed, err error) {
	var (
		commits      commitTimes
		began, ended time.Time
		happened     = make(chan struct{})
	)
	g, working := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		commits, err = commitAtRate(working, b.db, b.resources, acceptance.Rate{PerSecond: b.rate, Until: happened})
		return err
	})
	g.Go(func() error {
		defer close(happened)
		began = time.Now()
		err := event(working)
		ended = time.Now()
		return err
	})
	if err := g.Wait(); err != nil {
		return t, err
	}
	b.committed += len(commits)
	if err := awaitReceived(ctx, b.db, b.set); err != nil {
		return t, err
	}
	watchers := len(b.resources[0].Watchers)
	meanwhile := commitTimes{}
	for id, c := range commits {
		if !c.Sent.Before(began) && !c.Sent.After(ended) {
			meanwhile[id] = c
		}
	}
	arrived := arrivalsOf(meanwhile, b.set)
	if want := len(meanwhile) * watchers; arrived.received != want {
		return t, fmt.Errorf("%d of %d deliveries arrived", arrived.received, want)
	}
	return timed{
		Seconds: ended.Sub(began).Seconds(), Activities: len(meanwhile),
		Sent: arrived.sent, Returned: arrived.returned, Commits: meanwhile.percentiles(),
	}, nil
}

// warmUpTime is the time of deliveries that are not measured: they cache plans and pages.
const warmUpTime = 2 * time.Second

// nothingFor is an event in which nothing happens for some time.
func nothingFor(d time.Duration) func(ctx context.Context) error {
	return func(ctx context.Context) error { return wait.Sleep(ctx, d) }
}
