package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/churn"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

type churnOptions struct {
	databaseFlags
	output   output
	people   int
	tenants  int
	rate     int
	changes  int
	duration time.Duration
	cuts     int
	seed     uint64
}

func newChurn() *cobra.Command {
	var o churnOptions
	cmd := measuring(
		"churn",
		"Whether those and only those hear who must, while everything that decides about it changes",
		&o.output,
		func(ctx context.Context) (*churnResult, error) { return measureChurn(ctx, &o) },
	)
	flags := cmd.Flags()
	o.databaseFlags.flags(flags)
	flags.IntVar(&o.people, "clients", 2000, "people, each with a WebSocket")
	flags.IntVar(&o.tenants, "tenants", 4, "tenants that they are spread over")
	flags.IntVar(&o.rate, "rate", 100, "activities a second")
	flags.IntVar(&o.changes, "changes", 40, "changes of roles, subscriptions, preferences, … a second")
	flags.DurationVar(&o.duration, "duration", 3*time.Minute, "for how long")
	flags.IntVar(&o.cuts, "cuts", 5, "connections cut a second, of one in four people, for up to two seconds each")
	flags.Uint64Var(&o.seed, "seed", 1, "of the world, of what happens and of what changes")
	return cmd
}

// tokenTTL is shorter than a run, so that tokens are refreshed during it.
const tokenTTL = time.Minute

func measureChurn(ctx context.Context, o *churnOptions) (result *churnResult, err error) {
	s, err := o.startServers(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	db, server := s.db, s.centrifugo
	options := churn.Options{Tenants: o.tenants, People: o.people, Seed: o.seed}
	world := churn.New(options)
	if err := world.Load(ctx, db.Pool); err != nil {
		return nil, err
	}
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: server.TokenSecret(), ConnectionTTL: tokenTTL})
	if err != nil {
		return nil, err
	}
	var people []*clients.Client
	for _, t := range world.Tenants {
		for _, id := range t.People {
			people = append(people, &clients.Client{Tenant: t.ID, Principal: id})
		}
	}
	began := time.Now()
	audience, err := clients.Connect(ctx, people, server.WebSocketURL(), tokens)
	if err != nil {
		return nil, err
	}
	defer audience.Close()
	progress(
		"%d people connected in %.1f s; %d activities and %d changes a second for %v",
		len(people),
		time.Since(began).Seconds(),
		o.rate,
		o.changes,
		o.duration,
	)

	worker, err := newVictim(db, server)
	if err != nil {
		return nil, err
	}
	defer worker.Kill()
	j, err := newJournal(ctx, db, world)
	if err != nil {
		return nil, err
	}
	defer j.close()
	if err := j.live(ctx, o, audience); err != nil {
		return nil, err
	}
	progress("everything is settled; waiting for what is under way")
	if err := audience.Together(ctx, 30*time.Second); err != nil {
		return nil, err
	}
	quiet(ctx, audience.Received, 3*time.Second)
	for _, failure := range audience.Failures() {
		progress("a connection: %v", failure)
	}
	progress("judging")
	result = newChurnResult(o, audience)
	result.judge(j.judge(churn.New(options)), j, audience)
	return result, result.judgeInbox(ctx, db)
}

// live commits activities, makes changes and cuts connections for a while, and returns once all
// activities are settled.
func (j *journal) live(ctx context.Context, o *churnOptions, audience *clients.Set) error {
	g, working := errgroup.WithContext(ctx)
	over := make(chan struct{}) // no more activities come
	random := rand.New(rand.NewPCG(o.seed, 101))
	w := writer{pool: j.db.Pool, rate: o.rate, duration: o.duration, note: j.committed}
	w.envelope = func(n int) activity.Envelope { return j.world.Envelope(random, n) }
	g.Go(func() error {
		defer close(over)
		return w.run(working)
	})
	settled := make(chan struct{})
	g.Go(func() error {
		defer close(settled)
		return j.watch(working, over)
	})
	g.Go(func() error { return j.change(working, o, settled) })
	g.Go(func() error { cut(working, o, audience, over); return nil })
	return g.Wait()
}

// cut breaks connections of every fourth person, so that the others stay all the time.
func cut(ctx context.Context, o *churnOptions, audience *clients.Set, over <-chan struct{}) {
	if o.cuts <= 0 || len(audience.People) < 4 {
		return
	}
	random := rand.New(rand.NewPCG(o.seed, 102))
	tick := time.NewTicker(time.Second / time.Duration(o.cuts))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-over:
			return
		case <-tick.C:
		}
		p := audience.People[random.IntN(len(audience.People)/4)*4]
		p.Cut(time.Duration(random.IntN(2000)) * time.Millisecond)
	}
}

// quiet waits until a count has not grown for a while.
func quiet(ctx context.Context, count func() int64, while time.Duration) {
	for last, since := count(), time.Now(); time.Since(since) < while && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if now := count(); now != last {
			last, since = now, time.Now()
		}
	}
}
