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
	Killed      string       `json:"killed"` // "" for the phase without a kill
	Recorded    int          `json:"recorded"`
	Expected    int          `json:"expected_deliveries"`
	Received    int          `json:"received_distinct"`
	Lost        int          `json:"lost"`
	Repeats     int          `json:"received_again"`
	OutOfOrder  int          `json:"out_of_order"`
	InboxFaults int          `json:"inbox_rows_missing_doubled_or_unasked"`
	Disconnects int          `json:"connections_lost"`
	Retried     int          `json:"api_requests_retried"`
	P99         Milliseconds `json:"p99_ms"` // from COMMIT to the socket, of all clients
	Longest     Milliseconds `json:"longest_gap_ms"`

	violations []error
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
	*Environment
	ClusterOptions
	servers *ClusterServers
	world   *fixture.World
	set     *clients.Set
	next    int // number of the next activity
	before  map[activity.Principal]clients.History
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
		Environment: e, ClusterOptions: o, world: fixture.New(fixture.Options{People: o.People}),
		before: map[activity.Principal]clients.History{},
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
		p, err := c.phase(ctx, phase.killed, phase.victim)
		if err != nil {
			return nil, fmt.Errorf("%s killed: %w", phase.killed, err)
		}
		result.Phases = append(result.Phases, *p)
	}
	return result, nil
}

// phase commits transactions, kills a process meanwhile, waits until everything is delivered, and
// judges what was.
func (c *clusterRun) phase(ctx context.Context, killed string, victim member) (*ClusterPhase, error) {
	t := &traffic{clusterRun: c, recorder: NewRecorder(), ended: make(chan struct{})}
	writing := make(chan error, 1)
	go func() { writing <- t.run(ctx) }()
	err := func() error {
		defer close(t.ended)
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
	}()
	if err := errors.Join(err, <-writing); err != nil {
		return nil, err
	}
	delivering, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := AwaitDelivered(delivering, c.Pool); err != nil {
		return nil, err
	}
	if err := errors.Join(c.set.AwaitConnected(delivering), c.set.Barrier(delivering)); err != nil {
		return nil, err
	}
	return c.judge(ctx, killed, t)
}

func (c *clusterRun) judge(ctx context.Context, killed string, t *traffic) (*ClusterPhase, error) {
	evidence := &Evidence{
		Expected: everyWatcher(c.world, t.recorder), Clients: c.sinceLastPhase(), Versioned: true,
	}
	if err := evidence.readInbox(ctx, c.Pool); err != nil {
		return nil, err
	}
	for d := range evidence.Inbox {
		if _, ofThisPhase := evidence.Expected[d.Activity]; !ofThisPhase {
			delete(evidence.Inbox, d)
		}
	}
	found := Judge(evidence)
	var gaps []time.Duration
	for _, client := range evidence.Clients {
		for _, got := range client.Receptions {
			if expected, ok := evidence.Expected[got.Activity]; ok {
				gaps = append(gaps, got.At.Sub(expected.Returned))
			}
		}
	}
	p := NewPercentiles(gaps)
	phase := &ClusterPhase{
		Killed: killed, Recorded: len(evidence.Expected), Expected: found.Must, Received: found.Received,
		Lost:        len(found.MissedConnected) + len(found.MissedReconnected) + found.MissedBeyondGaps,
		Repeats:     len(found.Repeated),
		OutOfOrder:  len(found.OutOfOrder),
		InboxFaults: len(found.InboxMissing) + len(found.InboxUnexpected) + len(found.InboxDuplicates),
		Disconnects: found.Disconnects, Retried: int(t.retried.Load()), P99: p.P99, Longest: p.Max,
		violations: found.Violations(),
	}
	if found.MissedBeyondGaps > 0 {
		phase.violations = append(phase.violations,
			fmt.Errorf("%d deliveries missed by clients with a gap", found.MissedBeyondGaps))
	}
	if phase.Recorded == 0 {
		phase.violations = append(phase.violations, errors.New("nothing was recorded"))
	}
	return phase, nil
}

// sinceLastPhase returns the histories with the disconnects and gaps of this phase alone.
func (c *clusterRun) sinceLastPhase() []clients.History {
	histories := c.set.Drain()
	for i, h := range histories {
		before := c.before[h.Principal]
		c.before[h.Principal] = clients.History{Disconnects: h.Disconnects, Gaps: h.Gaps}
		histories[i].Disconnects -= before.Disconnects
		histories[i].Gaps -= before.Gaps
	}
	return histories
}
