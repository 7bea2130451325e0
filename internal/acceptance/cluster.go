package acceptance

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// ClusterOptions describe a run of Cluster.
type ClusterOptions struct {
	Program string        // the program fanfare
	Rate    int           // transactions a second
	People  int           // connected watchers
	Before  time.Duration // from the start of the transactions to the kill
	Down    time.Duration // from the kill to the start
	After   time.Duration // from the start to the end of the transactions
	Seed    uint64        // selects the resources
}

// ClusterPhase is what a run observed while one kind of process was killed.
type ClusterPhase struct {
	Killed string `json:"killed"` // "nothing" for the phase without a kill
	Phase
}

// ClusterResult is the result of Cluster.
type ClusterResult struct {
	Phases []ClusterPhase `json:"phases"`
}

// Err returns the violations of all phases, joined, or nil if there are none.
func (r *ClusterResult) Err() error {
	var errs []error
	for _, p := range r.Phases {
		for _, err := range p.violations {
			errs = append(errs, fmt.Errorf("%s killed: %w", p.Killed, err))
		}
	}
	return errors.Join(errs...)
}

// clusterRun is one run of Cluster.
type clusterRun struct {
	phases
	ClusterOptions
	servers *ClusterServers
	next    int // number of the next activity
}

// Cluster kills a process of each kind of a cluster in turn, by SIGKILL, while transactions are
// committed and activities are recorded over HTTP, starts it again, and verifies that each watcher
// receives each activity, in the order of its resource, with one row in the inbox.
func Cluster(ctx context.Context, e *Environment, o ClusterOptions) (result *ClusterResult, err error) {
	program, err := filepath.Abs(o.Program)
	if err != nil {
		return nil, err
	}
	c := &clusterRun{
		phases: phases{
			Environment: e, world: fixture.New(fixture.Options{People: o.People}),
			before: map[activity.Principal]clients.History{},
		},
		ClusterOptions: o,
	}
	if err := errors.Join(c.world.Load(ctx, e.Pool), c.world.AddThings(ctx, e.Pool)); err != nil {
		return nil, err
	}
	e.progress("starting %d Redis, %d nodes, %d workers and %d API servers",
		clusterRedis, clusterNodes, clusterWorkers, clusterServers)
	if c.servers, err = StartCluster(ctx, program, e.DatabaseURL); err != nil {
		return nil, err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, c.servers.Stop(stopping))
	}()
	var closeAll func()
	c.set, closeAll, err = Connect(ctx, c.servers, c.world.Principals(), ConnectOptions{Timeout: e.ClientTimeout})
	if err != nil {
		return nil, err
	}
	defer closeAll()
	result = &ClusterResult{}
	for _, phase := range []struct {
		killed string
		victim member
	}{
		{"nothing", nil},
		{"a node of Centrifugo", c.servers.Nodes[0]},
		{"a Redis", c.servers.Redis[0]},
		{"a worker", c.servers.Workers[0]},
		{"an API server", c.servers.Servers[0]},
	} {
		e.progress("killing %s", phase.killed)
		p, err := c.phase(ctx, phase.victim)
		if err != nil {
			return nil, fmt.Errorf("%s killed: %w", phase.killed, err)
		}
		result.Phases = append(result.Phases, ClusterPhase{phase.killed, *p})
	}
	return result, nil
}

// phase records traffic and kills a process meanwhile.
func (c *clusterRun) phase(ctx context.Context, victim member) (*Phase, error) {
	t := &traffic{
		world: c.world, pool: c.Pool, issuer: c.servers.issuer, rate: c.Rate, seed: c.Seed, next: &c.next,
		server:   func() string { return c.servers.api.Address() },
		recorder: NewRecorder(), ended: make(chan struct{}),
	}
	return c.run(ctx, t, func(ctx context.Context) error {
		if err := wait.Sleep(ctx, c.Before); err != nil || victim == nil {
			return errors.Join(err, wait.Sleep(ctx, c.Down+c.After))
		}
		if err := victim.Kill(ctx); err != nil {
			return err
		}
		if err := wait.Sleep(ctx, c.Down); err != nil {
			return err
		}
		return errors.Join(victim.Restart(ctx), wait.Sleep(ctx, c.After))
	})
}
