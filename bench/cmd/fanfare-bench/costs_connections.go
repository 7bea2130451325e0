package main

import (
	"context"
	"errors"
	"time"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/capacity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
)

// connectionWatchers is the number of watchers of each resource in the measurement of messages.
const connectionWatchers = 5

// connections measures the memory of connections, and the CPU time of writing to them: a backlog is
// delivered before any client is connected, and with all.
func (r *costsResult) connections(ctx context.Context, o *costsOptions) (err error) {
	s, err := o.startServers(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	world := fixture.New(fixture.Options{People: o.connections, Watchers: connectionWatchers})
	if err := world.Load(ctx, s.db.Pool); err != nil {
		return err
	}
	drain := &drainOptions{workerFlags: o.workerFlags, activities: o.activities / 5, timeout: 5 * time.Minute}
	absent, err := s.centrifugoTime(ctx, world, drain, o.rounds)
	if err != nil {
		return err
	}
	before, err := stack.ReadResident("centrifugo")
	if err != nil {
		return err
	}
	progress("connecting %d clients", o.connections)
	_, closeAll, err := acceptance.Connect(ctx, s.centrifugo, world.Principals(), acceptance.ConnectOptions{})
	if err != nil {
		return err
	}
	defer closeAll()
	time.Sleep(2 * time.Second)
	after, err := stack.ReadResident("centrifugo")
	if err != nil {
		return err
	}
	r.set(capacity.ConnectionCentrifugo, float64(after-before)/float64(len(world.Principals())))
	connected, err := s.centrifugoTime(ctx, world, drain, o.rounds)
	if err != nil {
		return err
	}
	r.set(capacity.MessageCentrifugo, (connected-absent)/connectionWatchers)
	return nil
}

// centrifugoTime returns the lowest CPU time of Centrifugo for an activity, of several backlogs.
func (s *servers) centrifugoTime(
	ctx context.Context, world *fixture.World, drain *drainOptions, rounds int,
) (us float64, err error) {
	for round := range rounds {
		run, err := s.centrifugoRound(ctx, world, drain)
		if err != nil {
			return 0, err
		}
		if round == 0 || run < us {
			us = run
		}
	}
	return us, nil
}

// centrifugoRound records and delivers a backlog, and returns the CPU time of Centrifugo for each
// activity, until the messages are written. Each call records other activities: Centrifugo drops
// repetitions.
func (s *servers) centrifugoRound(
	ctx context.Context, world *fixture.World, drain *drainOptions,
) (us float64, err error) {
	if _, err := world.Record(ctx, s.db.Pool, drain.activities); err != nil {
		return 0, err
	}
	if err := s.db.Settle(ctx, "fanfare.outbox"); err != nil {
		return 0, err
	}
	client, err := centrifugo.New(centrifugo.Options{
		APIURL: s.centrifugo.APIURLs(), APIKey: s.centrifugo.APIKey(),
	})
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if err := connect(ctx, client, false); err != nil {
		return 0, err
	}
	counted := newDeliveries(drain.activities)
	handler, err := newFanout(client, fanout.Options{NoInbox: true, Observer: sent{counted}})
	if err != nil {
		return 0, err
	}
	before := stack.ReadCPU()
	if _, _, err := drainBy(ctx, s.db, handler, counted, drain); err != nil {
		return 0, err
	}
	time.Sleep(time.Second)
	return each(stack.ReadCPU().Since(before), drain.activities).centrifugo, nil
}
